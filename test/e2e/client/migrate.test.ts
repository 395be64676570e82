import { existsSync, readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { HOOP_TOKEN, HoopServer } from '../../support/scripted/hoop-server.ts'
import { RunbookGateway } from '../../support/sites/runbook-gateway.ts'
import { runProgram } from '../../support/sites/program.ts'
import { json } from '../../support/scripted/scripted-rest.ts'
import { Workplace } from '../../support/sites/workplace.ts'

const SETTINGS = `
agents: [{ name: db-host, key: the-key-of-db-host-0123456789 }]
connections:
  - { name: one, agent: db-host, command: [cat], env: { PASS: the-pass-of-one } }
  - { name: two, agent: db-host, command: [cat] }
`
const WORDS = ['migrate', 'hoop', '--config', 'gateway.yaml', '--to']

describe('migrate hoop', () => {
  it('writes nothing without --apply, and everything with it', async () => {
    await using hoop = await HoopServer.start()
    using place = workplace()
    const dry = await runProgram(place, [...WORDS, hoop.url], { HOOP_TOKEN })
    expect(dry).toMatchObject({ code: 0, stderr: '' })
    expect(hoop.writes).toEqual([])
    const planned = JSON.parse(dry.stdout) as { readonly steps: readonly object[] }
    expect(planned).toMatchObject({ to: hoop.url, dry_run: true })
    expect(planned.steps).toMatchObject([
      { kind: 'agent', name: 'db-host', action: 'create', outcome: 'planned' },
      { kind: 'connection', name: 'one', action: 'create' },
      { kind: 'connection', name: 'two', action: 'create' },
    ])
    const words = [...WORDS, hoop.url, '--apply', '--agent-keys', 'keys', '--token-file', 'token']
    place.write('token', HOOP_TOKEN)
    const applied = await runProgram(place, words)
    expect(applied).toMatchObject({ code: 0, stderr: '' })
    expect(hoop.writes).toEqual([...['POST /api/agents', 'POST /api/connections', 'POST /api/connections']])
    expect(readdirSync(place.at('keys'))).toEqual(['db-host.key'])
    expect(dry.stdout + applied.stdout).not.toMatch(/the-pass|xagt-/)
  })

  it('makes no agent without a place for its key', async () => {
    await using hoop = await HoopServer.start()
    using place = workplace()
    const ended = await runProgram(place, [...WORDS, hoop.url, '--apply'], { HOOP_TOKEN })
    expect(ended).toMatchObject({ code: 64, stdout: '' })
    expect(ended.stderr).toMatch(/new keys for db-host.*--agent-keys/)
    expect(hoop.writes).toEqual([])
  })

  it('stops at the first refusal, says what is done and what is left, and goes on from there', async () => {
    await using hoop = await HoopServer.start()
    using place = workplace()
    const create = hoop.rest.scriptOf('POST /api/connections')
    hoop.rest.on('POST /api/connections', (received, response) => {
      const isFirst = hoop.connections.length === 0
      const script = isFirst ? create : json(422, { message: 'max tag association reached (10)' })
      script(received, response)
    })
    const words = [...WORDS, hoop.url, '--apply', '--agent-keys', 'keys']
    const stopped = await runProgram(place, words, { HOOP_TOKEN })
    expect(stopped.code).toBe(64)
    expect(stopped.stderr).toBe(
      'runbook-agent: cannot write the connection two to hoop: max tag association reached (10)\n',
    )
    const outcomes = (JSON.parse(stopped.stdout) as { steps: { outcome: string }[] }).steps
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['done', 'done', 'refused'])
    hoop.rest.on('POST /api/connections', create)
    expect(await runProgram(place, words, { HOOP_TOKEN })).toMatchObject({ code: 0, stderr: '' })
    expect(hoop.connections.map(({ name }) => name)).toEqual(['one', 'two'])
  })

  it('keeps a key that is there, and asks for no token that is for another gateway', async () => {
    await using hoop = await HoopServer.start()
    using place = workplace()
    place.write('keys/db-host.key', 'a key')
    const words = [...WORDS, hoop.url, '--apply', '--agent-keys', 'keys']
    const kept = await runProgram(place, words, { HOOP_TOKEN })
    expect(kept).toMatchObject({ code: 64 })
    expect(kept.stderr).toMatch(/db-host\.key exists already/)
    expect(hoop.writes).toEqual([])
    const env = { HOOP_TOKEN, HOOP_APIURL: 'http://127.0.0.1:1' }
    const other = await runProgram(place, [...WORDS, hoop.url], env)
    expect(other).toMatchObject({ code: 64, stderr: 'runbook-agent: the token is empty\n' })
  })

  it('is for admins of hoop, and for gateways of hoop alone', async () => {
    await using hoop = await HoopServer.start()
    await using embedded = await RunbookGateway.start()
    embedded.rest.on('GET /api/serverinfo', json(200, { license_info: null }))
    using place = workplace()
    hoop.isAdmin = false
    const refused = await runProgram(place, [...WORDS, hoop.url], { HOOP_TOKEN })
    expect(refused).toMatchObject({ code: 77 })
    expect(refused.stderr).toMatch(/only an admin/)
    const other = await runProgram(place, ['migrate', 'hoop', '--config', 'gateway.yaml'], embedded.env)
    expect(other).toMatchObject({ code: 64 })
    expect(other.stderr).toMatch(/is not a hoop gateway/)
    expect(existsSync(place.at('keys'))).toBe(false)
  })
})

function workplace(): Workplace {
  const place = new Workplace()
  place.write('gateway.yaml', SETTINGS)
  return place
}
