import http from 'node:http'
import path from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openHistory } from '../../../../src/gateway/rooms.ts'
import type { EventKind } from '../../../../src/gateway/history/session.ts'
import { closeFile, openFile } from '../../../../src/gateway/store/sqlite.ts'
import { RunningAgent } from '../../../support/sites/running-agent.ts'
import { otherToken, RunningGateway, userToken } from '../../../support/sites/running-gateway.ts'
import { found, waitFor } from '../../../support/wait.ts'

const MIB = 1024 * 1024
const BIG = Buffer.alloc(100 * MIB, 'not only text: \0\xff\n', 'latin1')
const STARTED = new Date('2026-01-31T14:30:00.250Z')

let gateway: RunningGateway
let agent: RunningAgent
let database: string

function fill(state: string): void {
  database = path.join(state, 'history.sqlite')
  const history = openHistory(database)
  const record = (
    id: string,
    events: readonly (readonly [number, EventKind, Buffer])[],
    { truncatedBytes = 0, began }: { readonly truncatedBytes?: number; readonly began?: Date } = {},
  ) => {
    const request = { id, user: 'admin', connection: 'bash', connectionType: 'custom', startedAt: STARTED }
    const rest = { origin: 'client', verb: 'exec', labels: {}, metadata: {} } as const
    history.begin({ ...request, ...rest, script: Buffer.from('the script') })
    if (began !== undefined) history.begun(id, began)
    for (const [seconds, kind, bytes] of events) history.append(id, kind, bytes, seconds)
    history.finish(id, { exitCode: 0, truncatedBytes, endedAt: new Date() })
  }
  record('ended', [
    [0, 'i', Buffer.from('echo')],
    [0.5, 'o', Buffer.from([0, 255, 10])],
    [1, 'r', Buffer.from('80x24')],
    [1.25, 'o', Buffer.from('€').subarray(0, 2)],
    [1.25, 'o', Buffer.from('€').subarray(2)],
    [63, 'e', Buffer.from('reason')],
  ])
  record('silent', [])
  record('late', [[0.5, 'o', Buffer.from('x')]], { began: new Date('2026-01-31T15:00:00Z') })
  record('cut', [[0, 'o', Buffer.from('so much')]], { truncatedBytes: 42 })
  record('big', [[0, 'o', BIG]])
  record('doomed', [[0, 'o', BIG.subarray(0, 30 * MIB)]])
  history.close()
}

beforeAll(async () => {
  gateway = await RunningGateway.start({}, { prepare: fill, limits: '{ wait: 100ms }' })
  agent = await RunningAgent.start(gateway.agentUrl, { redact: 'off' })
  await agent.serving()
  // The repository's git process starts with the first read and stays: it is no leak of a test.
  await gateway.exec({ file_name: 'ops/a.runbook.sh', parameters: { x: 'a' } })
})
afterAll(async () => {
  await agent[Symbol.asyncDispose]()
  await gateway[Symbol.asyncDispose]()
})

describe('GET /api/sessions/{id}/stream', () => {
  it('dates output from the beginning of the command, not from the request', async () => {
    await using stream = await open('late')
    expect(eventsIn(await stream.all())).toMatchObject([{ time: '2026-01-31T15:00:00.500Z' }])
    const { body } = await gateway.request('GET', '/api/sessions/late/output')
    expect(body['events']).toMatchObject([{ time: '2026-01-31T15:00:00.500Z' }])
    const result = `${gateway.gateway.http}/api/sessions/late/result/stream?event-time=1`
    const headers = { authorization: `Bearer ${userToken}`, connection: 'close' }
    expect(await (await fetch(result, { headers })).text()).toBe('2026-01-31T15:00:00Z x')
  })

  it('is what an ended session wrote, in order, with ids, and its end', async () => {
    await using stream = await open('ended')
    expect(stream.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-store',
      'x-accel-buffering': 'no',
    })
    const text = await stream.all()
    expect(text.replaceAll(/\d+(?=\n)/g, 'N')).toBe(
      [
        ': connected\nid: N\n\n',
        event(0, 'i', 'echo'),
        event(0.5, 'o', Buffer.from([0, 255, 10])),
        event(1.25, 'o', Buffer.from([0xe2, 0x82])),
        event(1.25, 'o', Buffer.from([0xac])),
        event(63, 'e', 'reason'),
        'event: session_end\ndata: {}\n\n',
      ].join(''),
    )
    const ids = idsIn(text)
    expect(ids).toEqual([...ids].sort((a, b) => a - b))
  })

  it('goes on behind the last event that a reader had, wherever he was cut off', async () => {
    await using whole = await open('ended')
    const text = await whole.all()
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: text.length }), async (cut) => {
        const blocks = text.slice(0, cut).split('\n\n').slice(0, -1)
        const last = idsIn(blocks.join('\n\n')).at(-1)
        await using next = await open(
          'ended',
          '',
          last === undefined ? {} : { 'last-event-id': String(last) },
        )
        const rest = await next.all()
        const joined = [...eventsIn(blocks.join('\n\n')), ...eventsIn(rest)]
        expect(joined).toEqual(eventsIn(text))
        expect(rest.endsWith('event: session_end\ndata: {}\n\n')).toBe(true)
      }),
      { numRuns: 20 },
    )
  })

  it('is what comes, while a session runs, without the wait of a second', async () => {
    using held = await gate()
    await using stream = await open(held.id)
    await stream.until(/: connected/)
    held.let('one')
    await stream.until(payload('one\n'))
    held.let('two')
    await stream.until(payload('two\n'))
    held.let('exit')
    expect((await stream.all()).endsWith('event: session_end\ndata: {}\n\n')).toBe(true)
  })

  it('begins with what comes next when that is asked for, as hoop does', async () => {
    await using ended = await open('ended', '?from=now')
    expect(eventsIn(await ended.all())).toEqual([])
    using held = await gate()
    held.let('one')
    await using from = await open(held.id)
    await from.until(payload('one\n'))
    await using now = await open(held.id, '?from=now')
    const [id] = idsIn(await now.until(/: connected\nid: \d+/))
    held.let('two')
    const text = await now.until(payload('two\n'))
    expect(text).not.toMatch(payload('one\n'))
    // Lost before the first event: the id is there already.
    await using again = await open(held.id, '?from=now', { 'last-event-id': String(id) })
    expect(eventsIn(await again.until(payload('two\n')))).toEqual(eventsIn(text))
    held.let('exit')
  })

  it.each([
    ['of another session', 'silent'],
    ['that is none', 'x'],
    ['behind all of them', '999999999'],
  ])('refuses a Last-Event-ID %s', async (_, id) => {
    await using other = await open('cut')
    const foreign = id === 'silent' ? String(idsIn(await other.all()).at(-1)) : id
    const { status, body } = await gateway.request('GET', '/api/sessions/ended/stream', undefined, {
      'last-event-id': foreign,
    })
    expect([status, body['code']]).toEqual([422, 'invalid-request'])
    expect(body['message']).toContain('Last-Event-ID')
  })

  it('begins anew for the id 0, and refuses a beginning that there is not', async () => {
    await using stream = await open('ended', '', { 'last-event-id': '0' })
    expect(eventsIn(await stream.all())).toHaveLength(5)
    const { status, body } = await gateway.request('GET', '/api/sessions/ended/stream?from=later')
    expect([status, body]).toEqual([422, { message: 'from: must be start or now', code: 'invalid-request' }])
  })

  it('says how much of the output is missing', async () => {
    await using stream = await open('cut')
    expect(await stream.all()).toContain(
      'event: incomplete\ndata: {"missing_bytes":42}\n\nevent: session_end',
    )
  })

  it('is for the owner and admins: for others the session does not exist', async () => {
    for (const [headers, status] of [
      [{ authorization: `Bearer ${otherToken}` }, 404],
      [{ authorization: 'Bearer nobody' }, 401],
    ] as const)
      expect((await gateway.request('GET', '/api/sessions/ended/stream', undefined, headers)).status).toBe(
        status,
      )
    expect((await gateway.request('GET', '/api/sessions/none/stream')).status).toBe(404)
  })

  it('holds less than 5 MB of 100 MB for each of its readers while they take nothing', async () => {
    collectGarbage()
    const before = memory()
    const streams = await Promise.all(Array.from({ length: 20 }, () => open('big')))
    let highest = 0
    for (let i = 0; i < 5; i += 1) {
      for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate)
      // What is held now: when the rest is freed depends on what else this process has done.
      collectGarbage()
      highest = Math.max(highest, memory() - before)
    }
    // Before the verdict: what a failure left open would fail the next tests of this process.
    for (const stream of streams) await stream[Symbol.asyncDispose]()
    expect(highest).toBeLessThan(100 * MIB)
  })

  it('gives 100 MB to a reader, byte for byte', async () => {
    await using stream = await open('big')
    const output = eventsIn(await stream.all()).map(({ payload: text }) => Buffer.from(text, 'base64'))
    expect(Buffer.concat(output).equals(BIG)).toBe(true)
  })

  it('gives the same to twenty readers, who come and go while it runs', async () => {
    using held = await gate()
    const readers = Array.from({ length: 20 }, () => untilEnd(held.id))
    for (let i = 0; i < 40; i += 1) held.let(`line ${i}`)
    held.let('exit')
    const all = await Promise.all(readers)
    const expected = Array.from({ length: 40 }, (_, i) => `line ${i}\n`).join('')
    for (const text of all) expect(text).toBe(expected)
  })

  it('is broken off, not ended, when the session is removed meanwhile', async () => {
    await using stream = await open('doomed')
    await stream.until(/event: event/)
    remove('doomed')
    await expect(stream.all()).rejects.toThrow()
  })

  it('is no more than 64 for one user, and a place is free again when one of them leaves', async () => {
    using held = await gate()
    const streams = await Promise.all(Array.from({ length: 64 }, () => open(held.id)))
    const { status, body } = await gateway.request('GET', '/api/sessions/ended/stream')
    for (const stream of streams) await stream[Symbol.asyncDispose]()
    expect([status, body]).toEqual([
      429,
      {
        message: expect.stringContaining('at most 64 streams of sessions per user') as string,
        code: 'too-many-clients',
      },
    ])
    await waitFor(async () => {
      await using stream = await open('ended')
      return stream.status === 200
    })
    held.let('exit')
  })

  it('has no HEAD, which would be answered at the end of the session', async () => {
    const response = await fetch(`${gateway.gateway.http}/api/sessions/ended/stream`, {
      method: 'HEAD',
      headers: asAdmin,
    })
    expect(response.status).toBe(404)
  })
})

describe('Prefer: respond-async', () => {
  const prefer = { prefer: 'wait=10, Respond-Async; x=y' }

  it.each([
    ['/api/sessions', { connection: 'bash', script: 'echo a' }],
    [
      '/api/plugins/runbooks/connections/bash/exec',
      { file_name: 'ops/a.runbook.sh', parameters: { x: 'a' } },
    ],
    [
      '/api/runbooks/exec',
      { connection_name: 'bash', repository: 'rb', file_name: 'ops/a.runbook.sh', parameters: { x: 'a' } },
    ],
  ])('is the id of a session of POST %s at once, and its stream has the rest', async (url, body) => {
    const response = await fetch(`${gateway.gateway.http}${url}`, {
      method: 'POST',
      headers: { ...asAdmin, 'content-type': 'application/json', ...prefer },
      body: JSON.stringify(body),
    })
    expect([response.status, response.headers.get('preference-applied')]).toEqual([202, 'respond-async'])
    const { session_id: id, output_status: status } = (await response.json()) as Record<string, string>
    expect(status).toBe('running')
    expect(await untilEnd(id ?? '')).toBe('a\n')
  })

  it('with brief-wait is 200 only for an end that is output and a code and nothing else', async () => {
    const send = async (script: string) => {
      const response = await fetch(`${gateway.gateway.http}/api/sessions`, {
        method: 'POST',
        headers: { ...asAdmin, 'content-type': 'application/json', prefer: 'respond-async, brief-wait' },
        body: JSON.stringify({ connection: 'bash', script }),
      })
      return { status: response.status, body: (await response.json()) as Record<string, unknown> }
    }
    // Its end has a text of the agent, which the stream keeps apart from the output.
    const killed = await send('echo a; kill -9 $$')
    expect([killed.status, killed.body['output_status']]).toEqual([202, 'running'])
    expect(await untilEnd(String(killed.body['session_id']))).toMatch(/^a\n/)
    const failed = await send('echo a; exit 3')
    // On a busy machine it takes longer than the wait.
    if (failed.status === 200) expect(failed.body).toMatchObject({ output: 'a\n', exit_code: 3 })
    else expect(await untilEnd(String(failed.body['session_id']))).toBe('a\n')
  })

  it('is not applied where there is nothing to wait for', async () => {
    const response = await fetch(`${gateway.gateway.http}/api/sessions`, {
      method: 'POST',
      headers: { ...asAdmin, 'content-type': 'application/json', prefer: 'return=minimal' },
      body: JSON.stringify({ connection: 'bash', script: 'echo a' }),
    })
    // 200, or 202 where the command takes longer than the gateway's own wait.
    expect(response.ok).toBe(true)
    expect(response.headers.get('preference-applied')).toBeNull()
  })
})

const asAdmin = { authorization: 'Bearer a-token-for-tests-0123456789', connection: 'close' }

/** A reader of a stream. */
class Stream implements AsyncDisposable {
  readonly #response: http.IncomingMessage
  readonly #pieces: AsyncIterator<Buffer>
  #text = ''

  constructor(response: http.IncomingMessage) {
    this.#response = response
    this.#pieces = response[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  }

  get headers(): http.IncomingHttpHeaders {
    return this.#response.headers
  }

  get status(): number | undefined {
    return this.#response.statusCode
  }

  /** Everything up to now, as soon as the pattern is in it. */
  async until(pattern: RegExp): Promise<string> {
    while (!pattern.test(this.#text)) {
      const { done, value } = (await this.#pieces.next()) as IteratorResult<Buffer, undefined>
      if (done === true) throw new Error(`the stream has ended without ${String(pattern)}: ${this.#text}`)
      this.#text += value.toString()
    }
    return this.#text
  }

  /** Everything, when it has ended. */
  async all(): Promise<string> {
    const parts = [this.#text]
    for (;;) {
      const { done, value } = (await this.#pieces.next()) as IteratorResult<Buffer, undefined>
      if (done === true) return parts.join('')
      parts.push(value.toString())
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#response.destroy()
    return new Promise((resolve) =>
      this.#response.closed ? resolve() : this.#response.once('close', resolve),
    )
  }
}

function open(id: string, query = '', headers: Record<string, string> = {}): Promise<Stream> {
  const { port } = new URL(gateway.gateway.http)
  const options = { port, path: `/api/sessions/${id}/stream${query}`, headers: { ...asAdmin, ...headers } }
  return new Promise((resolve, reject) => {
    http.get(options, (response) => resolve(new Stream(response))).on('error', reject)
  })
}

/** Reads a session's output to its end, on a new connection after each piece. */
async function untilEnd(id: string): Promise<string> {
  const pieces: Buffer[] = []
  for (let last: string | undefined; ;) {
    await using stream = await open(id, '', last === undefined ? {} : { 'last-event-id': last })
    const text = await stream.until(/event: event\n[^\n]*\n\n|session_end/)
    const whole = text.slice(0, text.lastIndexOf('\n\n') + 2)
    for (const { type, payload: bytes } of eventsIn(whole))
      if (type === 'o') pieces.push(Buffer.from(bytes, 'base64'))
    last = String(idsIn(whole).at(-1) ?? last)
    if (whole.includes('session_end')) return Buffer.concat(pieces).toString()
  }
}

interface Event {
  readonly time: string
  readonly type: string
  readonly payload: string
}

function eventsIn(text: string): Event[] {
  return [...text.matchAll(/event: event\ndata: (.*)$/gm)].map(([, data = '']) => JSON.parse(data) as Event)
}

function idsIn(text: string): number[] {
  return [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id))
}

function event(seconds: number, type: string, content: string | Buffer): string {
  const time = new Date(STARTED.getTime() + seconds * 1000).toISOString()
  const payload = Buffer.from(content).toString('base64')
  return `id: N\nevent: event\ndata: ${JSON.stringify({ time, type, payload })}\n\n`
}

function payload(text: string): RegExp {
  return new RegExp(`"payload":"${Buffer.from(text).toString('base64')}"`)
}

/** A session that writes what it is told to, until it is told `exit`. */
async function gate(): Promise<{ id: string; let: (line: string) => void } & Disposable> {
  const { mkdtempSync, openSync, writeSync, closeSync, rmSync } = await import('node:fs')
  const { execFileSync } = await import('node:child_process')
  const { tmpdir } = await import('node:os')
  const folder = mkdtempSync(path.join(tmpdir(), 'live-'))
  const pipe = path.join(folder, 'lines')
  execFileSync('mkfifo', [pipe])
  const script = `exec 3<>'${pipe}'; while read -r line <&3; do [ "$line" = exit ] && break; echo "$line"; done`
  const { body } = await gateway.script(script)
  const id = await found(() => body['session_id'] as string | undefined)
  const fd = openSync(pipe, 'r+')
  return {
    id,
    let: (line) => void writeSync(fd, `${line}\n`),
    [Symbol.dispose]: () => {
      writeSync(fd, 'exit\n')
      closeSync(fd)
      rmSync(folder, { recursive: true })
    },
  }
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  ;(runInNewContext('gc') as () => void)()
}

const memory = () => process.memoryUsage().heapUsed + process.memoryUsage().external

function remove(id: string): void {
  const { db } = openFile(database, undefined)
  db.exec(`PRAGMA foreign_keys = ON; DELETE FROM sessions WHERE id = '${id}'`)
  closeFile(db)
}
