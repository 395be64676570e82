import { existsSync, readFileSync, statSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { runProgram } from '../../support/sites/program.ts'
import { json, ScriptedRest } from '../../support/scripted/scripted-rest.ts'
import { Workplace } from '../../support/sites/workplace.ts'

const TOKEN = 'the-token-of-a-test-0123456789'

describe('login', () => {
  it('keeps address and token of a gateway that knows the token, for its user alone', async () => {
    using place = new Workplace()
    await using rest = await gateway()
    place.write('token', `${TOKEN}\n`)
    const ended = await runProgram(place, ['login', '--api-url', rest.url, '--token-file', 'token'])
    const file = place.at('home', '.config', 'runbook-agent', 'account.json')
    expect(ended).toEqual({
      ...{ code: 0, signal: null, stdout: '' },
      stderr: `signed in to ${rest.url} as ada@example.test; kept in ${file}\n`,
    })
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
      api_url: rest.url,
      grpc_url: 'grpc://127.0.0.1:8010',
      token: TOKEN,
    })
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(rest.received.map(({ headers }) => headers.authorization)).toEqual([
      ...[`Bearer ${TOKEN}`, `Bearer ${TOKEN}`],
    ])
  })

  it.each(['true', '1'])('keeps HOOP_TLS_SKIP_VERIFY=%s as the other commands read it', async (value) => {
    using place = new Workplace()
    await using rest = await gateway()
    place.write('token', TOKEN)
    const words = ['login', '--api-url', rest.url, '--token-file', 'token', '--quiet']
    expect(await runProgram(place, words, { HOOP_TLS_SKIP_VERIFY: value })).toMatchObject({ code: 0 })
    const file = place.at('home', '.config', 'runbook-agent', 'account.json')
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ tls_skip_verify: true })
  })

  it('is undone by logout', async () => {
    using place = new Workplace()
    await using rest = await gateway()
    place.write('token', TOKEN)
    await runProgram(place, ['login', '--api-url', rest.url, '--token-file', 'token', '--quiet'], {
      XDG_CONFIG_HOME: place.at('settings'),
    })
    const file = place.at('settings', 'runbook-agent', 'account.json')
    expect(existsSync(file)).toBe(true)
    const out = await runProgram(place, ['logout'], { XDG_CONFIG_HOME: place.at('settings') })
    expect(out).toMatchObject({ code: 0, stderr: `signed out: removed ${file}\n` })
    expect(existsSync(file)).toBe(false)
    expect((await runProgram(place, ['logout'])).stderr).toMatch(/^not signed in/)
  })

  it.each([
    [
      'a token that the gateway refuses',
      77,
      'wrong-token',
      /cannot sign in to \S+: access denied\. Is this a token of this gateway\?\n/,
    ],
    ['an empty token', 64, ' \n', /the token is empty/],
    ['a token that is none', 64, 'two words', /not one word of ASCII/],
  ])('keeps nothing of %s', async (_, code, token, message) => {
    using place = new Workplace()
    await using rest = await gateway()
    place.write('token', token)
    const ended = await runProgram(place, ['login', '--api-url', rest.url, '--token-file', 'token'])
    expect(ended).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(message) as string })
    expect(ended.stderr.trimEnd().split('\n')).toHaveLength(1)
    expect(existsSync(place.at('home', '.config'))).toBe(false)
  })

  it('has one line for what is no gateway, for one that is down, and for an address in the clear', async () => {
    using place = new Workplace()
    await using rest = await ScriptedRest.start()
    place.write('token', TOKEN)
    const url = rest.url
    for (const [address, code, message] of [
      [url, 64, /cannot sign in to \S+: endpoint not found/],
      ['http://127.0.0.1:1', 69, /cannot be reached: nobody listens there/],
      ['http://gateway.test', 78, /a token over plaintext to gateway\.test/],
      ['gateway.test', 78, /--api-url: the gateway's address is written/],
    ] as const) {
      const ended = await runProgram(place, ['login', '--api-url', address, '--token-file', 'token'])
      expect([ended.code, ended.stderr]).toEqual([code, expect.stringMatching(message)])
      expect(ended.stderr.trimEnd().split('\n')).toHaveLength(1)
      expect(ended.stderr).not.toContain(TOKEN)
    }
  })
})

/** A gateway that knows one token. */
async function gateway(): Promise<ScriptedRest> {
  const rest = await ScriptedRest.start()
  rest.on('GET /api/userinfo', (received, response) => {
    const isKnown = received.headers.authorization === `Bearer ${TOKEN}`
    const answer = isKnown
      ? json(200, { name: 'Ada', email: 'ada@example.test', is_admin: true })
      : json(401, { message: 'access denied' })
    answer(received, response)
  })
  return rest.on('GET /api/serverinfo', json(200, { grpc_url: 'grpc://127.0.0.1:8010' }))
}
