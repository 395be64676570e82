import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
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
      stderr: `signed in to ${rest.url} as ada@example.test; stored in ${file}\n`,
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
    ['a token that is none', 64, 'two words', /characters other than visible ASCII/],
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
      ['http://127.0.0.1:1', 69, /cannot be reached: nothing listens there/],
      ['http://gateway.test', 78, /a token sent to gateway\.test without TLS/],
      ['gateway.test', 78, /--api-url: the gateway's address must have the form/],
    ] as const) {
      const ended = await runProgram(place, ['login', '--api-url', address, '--token-file', 'token'])
      expect([ended.code, ended.stderr]).toEqual([code, expect.stringMatching(message)])
      expect(ended.stderr.trimEnd().split('\n')).toHaveLength(1)
      expect(ended.stderr).not.toContain(TOKEN)
    }
  })
})

describe('login without --api-url', () => {
  it('takes the gateway of the profile, with what was stored about it, and a new token', async () => {
    using place = new Workplace()
    await using rest = await gateway()
    place.write('token', TOKEN)
    const client = (line: string, env: Record<string, string> = {}) => runProgram(place, line.split(' '), env)
    const first = `login --api-url ${rest.url} --token-file token --profile prod --grpc-url grpc://127.0.0.1:1`
    await client(`${first} --allow-plaintext`, { HOOP_TLSSERVERNAME: 'gateway.test' })
    const file = place.at('home', '.config', 'runbook-agent', 'account.prod.json')
    const stored = JSON.parse(readFileSync(file, 'utf8')) as object
    writeFileSync(file, JSON.stringify({ ...stored, token: 'an-old-token' }))
    const refused = await client('agents --profile prod')
    expect([refused.code, refused.stderr]).toEqual([
      77,
      expect.stringMatching(
        /access denied\. The token may have expired: runbook-agent login --profile prod\n$/,
      ),
    ])
    const again = await client('login --profile prod --token-file token')
    expect([again.code, again.stderr]).toEqual([0, expect.stringContaining(`signed in to ${rest.url}`)])
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ ...stored, grpc_url: 'grpc://127.0.0.1:8010' })
  })

  it('says what is missing in a profile without a gateway', async () => {
    using place = new Workplace()
    place.write('token', TOKEN)
    const ended = await runProgram(place, ['login', '--profile', 'prod', '--token-file', 'token'])
    expect([ended.code, ended.stderr]).toEqual([
      64,
      'runbook-agent: profile prod has no gateway yet: give the address with --api-url https://GATEWAY\n',
    ])
  })

  it('is not advised for a token of the environment', async () => {
    using place = new Workplace()
    await using rest = await gateway()
    const ended = await runProgram(place, ['agents'], { HOOP_APIURL: rest.url, HOOP_TOKEN: 'an-old-token' })
    expect(ended.stderr).toMatch(/The token may have expired: set HOOP_TOKEN to a new token\n$/)
  })
})

describe('several gateways', () => {
  it('each keep their account, and use, a flag or a variable says which one a command is for', async () => {
    using place = new Workplace()
    await using first = await named('first')
    await using second = await named('second')
    place.write('token', TOKEN)
    const client = (line: string, env: Record<string, string> = {}) => runProgram(place, line.split(' '), env)
    await client(`login --api-url ${first.url} --token-file token`)
    const login = await client(`login --api-url ${second.url} --token-file token --profile prod`)
    expect(login.stderr).toMatch(
      /account\.prod\.json\nto use the profile for all commands: runbook-agent use prod; for one command: --pro/,
    )
    const which = async (line: string, env = {}) =>
      (JSON.parse((await client(line, env)).stdout) as [{ name: string }])[0].name
    expect(await which('connections')).toBe('first')
    expect(await which('connections list --profile prod')).toBe('second')
    expect(await which('connections', { RUNBOOK_AGENT_PROFILE: 'prod' })).toBe('second')
    // Whoever names a gateway means it, whatever else the shell has.
    const elsewhere = { HOOP_APIURL: first.url, HOOP_TOKEN: TOKEN, HOOP_GRPCURL: 'grpc://127.0.0.1:1' }
    expect(await which('connections list --profile prod', elsewhere)).toBe('second')

    expect((await client('use prod')).stderr).toBe(`profile prod is selected: ${second.url}\n`)
    expect(await which('connections')).toBe('second')
    expect(await which('connections', elsewhere)).toBe('first')
    expect(JSON.parse((await client('use')).stdout)).toEqual([
      { name: 'default', current: false, api_url: first.url },
      { name: 'prod', current: true, api_url: second.url },
    ])
    const completed = await client('complete -- connections list --profile d')
    expect(completed.stdout).toBe('default\n')
    expect((await client('complete -- run --profile default f')).stdout).toBe('first\n')

    const out = await client('logout')
    expect(out.stderr).toMatch(
      /^signed out: removed \S+account\.prod\.json\nprofile default is selected again/,
    )
    expect(await which('connections')).toBe('first')
  })

  it('that are not there are said, with the one that was meant', async () => {
    using place = new Workplace()
    place.write('token', TOKEN)
    await using rest = await gateway()
    await runProgram(place, ['login', '--api-url', rest.url, '--token-file', 'token', '--profile', 'prod'])
    for (const [words, code, message] of [
      [['use', 'prd'], 64, 'profile prd not found: did you mean prod?'],
      [['sessions', '--profile', 'prd'], 64, 'profile prd not found: did you mean prod?'],
      [
        ['exec', 'x', '-i', '', '--profile', 'other'],
        64,
        'login --profile other --api-url https://GATEWAY creates the profile',
      ],
      [['logout', '--profile', 'other'], 64, 'profile other not found'],
      [['use', '../x'], 64, 'the name of a profile may have letters'],
      [['run', '--local', 'x', 'y', '--profile', 'prod'], 64, '--local uses no gateway'],
      [['agents'], 78, 'not signed in'],
    ] as const) {
      const ended = await runProgram(place, words)
      expect([ended.code, ended.stdout, ended.stderr]).toEqual([code, '', expect.stringContaining(message)])
      expect(ended.stderr.trimEnd().split('\n')).toHaveLength(1)
    }
    await runProgram(place, ['use', 'prod'])
    rmSync(place.at('home', '.config', 'runbook-agent', 'account.prod.json'))
    const gone = await runProgram(place, ['agents'])
    expect([gone.code, gone.stderr]).toEqual([
      78,
      expect.stringContaining('the selected profile prod is signed out'),
    ])
  })
})

/** A gateway that knows one token, with one connection of this name. */
async function named(name: string): Promise<ScriptedRest> {
  return (await gateway()).on('GET /api/connections', json(200, [{ name }]))
}

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
  rest.on('GET /api/agents', json(401, { message: 'access denied' }))
  return rest.on('GET /api/serverinfo', json(200, { grpc_url: 'grpc://127.0.0.1:8010' }))
}
