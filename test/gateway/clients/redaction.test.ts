import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { clientOf, recorded, textOf } from '../../support/sites/client-site.ts'
import { base64 } from '../../support/scripted/open.ts'
import { RunningGateway } from '../../support/sites/running-gateway.ts'
import { ScriptedAgent } from '../../support/scripted/scripted-agent.ts'
import type { ScriptedClient } from '../../support/scripted/scripted-client.ts'
import { found, waitFor } from '../../support/wait.ts'

// What is written down of exec and connect, and of scripts. The agent sends what a test tells it, in these pieces.

const PASSWORD = 'hunter2-hunter2'
const URL = 'postgres://app:swordfish-1@db/app'
const connections = `
  - name: pg
    agent: local
    command: [bash]
    env: { PGPASSWORD: ${PASSWORD}, PGHOST: db.example.test, LINK: '${URL}' }
    runbooks: { repository: rb }`

let gateway: RunningGateway
let agent: ScriptedAgent
beforeEach(async () => {
  gateway = await RunningGateway.start(
    { 'ops/login.sh': 'login {{ .password | type "password" }} as {{ .user }} to {{ .link }}' },
    { connections },
  )
  agent = await ScriptedAgent.connected(gateway.agentUrl)
})
afterEach(async () => {
  await agent[Symbol.asyncDispose]()
  await gateway[Symbol.asyncDispose]()
})

const client = (verb: 'exec' | 'connect') => clientOf(gateway, verb, { 'connection-name': 'pg' })

async function opened(of: ScriptedClient): Promise<string> {
  const { sid } = await agent.packet('AgentSessionOpen')
  agent.send('ClientSessionOpenOK', { 'gateway.session_id': sid, 'gateway.connection_type': 'command-line' })
  await of.packet('ClientSessionOpenOK')
  return sid
}

function writes(sid: string, text: string | Buffer, stream: 'Stdout' | 'Stderr' = 'Stdout'): void {
  agent.send(`ClientWrite${stream}`, { 'gateway.session_id': sid }, text)
}

function closes(sid: string, message = '', more: Record<string, string> = {}): void {
  agent.send('ClientSessionClose', { 'gateway.session_id': sid, 'client.exit_code': '0', ...more }, message)
}

/** What the record serves in each of its forms. */
async function served(sid: string): Promise<string> {
  const paths = [
    '',
    '/result/stream',
    '?expand=event_stream&event_stream=utf8',
    '/result/stream?events=i,o,e',
  ]
  const texts = paths.map(async (path) => {
    const response = await fetch(`${gateway.gateway.http}/api/sessions/${sid}${path}`, {
      headers: { authorization: 'Bearer a-token-for-tests-0123456789' },
    })
    expect(response.status).toBe(200)
    return response.text()
  })
  return (await Promise.all(texts)).join('\n')
}

describe('the record of a terminal', () => {
  it('has the secrets of the connection replaced that its client sees, in whatever pieces they come', async () => {
    await using terminal = client('connect')
    terminal.open()
    const sid = await opened(terminal)
    const pieces = [
      '$ echo "$PGPASSWORD"\r\n',
      'hunt',
      'er2-',
      'hunter',
      '2',
      '\r\nswordfish-1 db.example.test\r\n',
    ]
    for (const piece of pieces) {
      writes(sid, piece)
      await terminal.shows(piece)
    }
    closes(sid)
    expect((await terminal.ended()).stdout).toBe(pieces.join(''))
    const session = await recorded(gateway, sid)
    expect(textOf(session, 'o')).toBe('$ echo "$PGPASSWORD"\r\n[REDACTED]\r\n[REDACTED] db.example.test\r\n')
    expect(session.redacted_bytes).toBe(PASSWORD.length + 'swordfish-1'.length)
    expect(await served(sid)).not.toMatch(/hunter2|swordfish/)
  })

  it('has a beginning with what comes behind it, in order and with its time, and nothing of it before', async () => {
    await using terminal = client('connect')
    terminal.open()
    const sid = await opened(terminal)
    writes(sid, 'before hunter2-hu')
    await terminal.shows('hunter2-hu')
    terminal.send({ kind: 'resize', cols: 90, rows: 20 })
    await agent.packet('AgentTerminalResizeTTY')
    // What is in the file when the gateway is killed now.
    expect(await served(sid)).not.toContain('hunt')
    writes(sid, 'h, or not')
    closes(sid)
    await terminal.ended()
    const { events } = await recorded(gateway, sid)
    expect(events.map(({ kind, text }) => [kind, text])).toEqual([
      ['o', 'before '],
      ['o', 'hunter2-huh, or not'],
    ])
    const [first, second] = events
    expect(second?.seconds).toBeGreaterThan(first?.seconds ?? Infinity)
  })
})

describe('the record of exec', () => {
  it('has the secrets replaced in both streams, each for itself, and those that the caller brings', async () => {
    await using exec = client('exec')
    exec.open('script', { clientEnvVars: new Map([['envvar:MY_TOKEN', base64('token-of-mine')]]) })
    const sid = await opened(exec)
    writes(sid, 'out: hunter2-')
    writes(sid, `err: ${PASSWORD}, `, 'Stderr')
    writes(sid, 'hunter2, token-of-mine')
    closes(sid, `\nfailed with ${PASSWORD}`)
    const { stdout, stderr, message } = await exec.ended()
    expect([stdout, stderr, message]).toEqual([
      'out: hunter2-hunter2, token-of-mine',
      `err: ${PASSWORD}, `,
      `\nfailed with ${PASSWORD}`,
    ])
    const session = await recorded(gateway, sid)
    expect(textOf(session, 'oe')).toBe('out: err: [REDACTED], [REDACTED], [REDACTED]\nfailed with [REDACTED]')
  })

  it.each(['hunter2-hunt', 'hunter'])('has what was held at the end: %s', async (last) => {
    await using exec = client('exec')
    exec.open('script')
    const sid = await opened(exec)
    writes(sid, `it is ${last}`)
    closes(sid)
    await exec.ended()
    expect(textOf(await recorded(gateway, sid), 'o')).toBe(
      last === 'hunter' ? 'it is hunter' : 'it is [REDACTED]',
    )
  })

  it('has output byte for byte where no secret is in it', async () => {
    const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, n) => (n * n) % 251))
    await using exec = client('exec')
    exec.open('script')
    const sid = await opened(exec)
    for (let at = 0; at < bytes.length; at += 9999) writes(sid, bytes.subarray(at, at + 9999))
    closes(sid)
    await exec.ended()
    await recorded(gateway, sid)
    const response = await fetch(`${gateway.gateway.http}/api/sessions/${sid}/result/stream`, {
      headers: { authorization: 'Bearer a-token-for-tests-0123456789' },
    })
    const got = Buffer.from(await response.arrayBuffer())
    expect(got.equals(bytes)).toBe(true)
  })
})

describe('the script', () => {
  it('is recorded with the secrets of the connection replaced, and reaches the command as it is', async () => {
    const script = `PGPASSWORD=${PASSWORD} psql -h db.example.test`
    await using exec = client('exec')
    exec.open(script)
    const sid = await opened(exec)
    exec.send({ kind: 'exec', stdin: Buffer.from(script) })
    expect(String((await agent.packet('AgentExecWriteStdin')).packet.payload)).toBe(script)
    closes(sid)
    await exec.ended()
    const session = await recorded(gateway, sid)
    const expected = 'PGPASSWORD=[REDACTED] psql -h db.example.test'
    expect([session.script.data, textOf(session, 'i')]).toEqual([expected, expected])
  })

  it('of a runbook has no parameter of type password in its record', async () => {
    const parameters = { password: 'correct-horse', user: 'reader-of-it', link: URL }
    const answer = gateway.exec({ file_name: 'ops/login.sh', parameters }, 'pg')
    const { sid } = await agent.packet('AgentSessionOpen')
    agent.send('ClientSessionOpenOK', { 'gateway.session_id': sid })
    const script = String((await agent.packet('AgentExecWriteStdin')).packet.payload)
    expect(script).toBe(`login correct-horse as reader-of-it to ${URL}`)
    closes(sid, '', { 'client.redacted_bytes': '30' })
    const { body } = await answer
    expect(body['redacted_bytes']).toBe(30)
    const session = await recorded(gateway, sid)
    expect(session.script.data).toBe('login [REDACTED] as reader-of-it to [REDACTED]')
    expect(session.redacted_bytes).toBe(30)
  })
})

describe('the answer of REST', () => {
  it('is what the agent sent: its own rule has replaced what it had to, and nothing says so where there was nothing', async () => {
    const answer = gateway.script('script', { connection: 'pg' })
    const { sid } = await agent.packet('AgentSessionOpen')
    writes(sid, PASSWORD)
    closes(sid)
    const { body } = await answer
    expect([body['output'], 'redacted_bytes' in body]).toEqual([PASSWORD, false])
  })
})

it('many secrets of a user count as what he has at once', async () => {
  const secret = (n: number) => base64(`${n}`.padStart(1000, 'correct-horse-battery/'))
  const many = new Map(Array.from({ length: 64 }, (_, n) => [`envvar:MY_TOKEN_${n}`, secret(n)]))
  const clients = Array.from({ length: 20 }, () => client('connect'))
  for (const one of clients) one.open('', { clientEnvVars: many })
  const refused = await found(() => clients.find(({ status }) => status !== undefined)?.status)
  expect(refused.details).toContain('more than 128 MiB together')
  for (const one of clients) await one[Symbol.asyncDispose]()
  await waitFor(() => gateway.log.filter((line) => line.startsWith('session ended')).length > 0)
})
