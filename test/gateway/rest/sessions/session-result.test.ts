import { createHash } from 'node:crypto'
import { once } from 'node:events'
import http from 'node:http'
import path from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openHistory } from '../../../../src/gateway/rooms.ts'
import { closeFile, openFile } from '../../../../src/gateway/store/sqlite.ts'
import type { EventKind } from '../../../../src/gateway/history/session.ts'
import { RunningAgent } from '../../../support/sites/running-agent.ts'
import { otherToken, RunningGateway } from '../../../support/sites/running-gateway.ts'
import { waitFor } from '../../../support/wait.ts'

const MIB = 1024 * 1024
const BIG = Buffer.alloc(110 * MIB, 'not only text: \0\xff\n', 'latin1')
/** In JSON each byte has six. */
const LONG_SCRIPT = Buffer.alloc(16 * MIB, 1)
const STARTED = new Date(Date.now() - 60_000)

function fill(state: string): void {
  database = path.join(state, 'history.sqlite')
  const history = openHistory(database)
  const record = (
    id: string,
    user: string,
    events: readonly (readonly [number, EventKind, Buffer])[],
    script = Buffer.alloc(0),
  ) => {
    const request = { id, user, connection: 'bash', connectionType: 'custom', startedAt: STARTED }
    const rest = {
      origin: 'client',
      verb: 'connect',
      labels: {},
      metadata: {},
      script,
    } as const
    history.begin({ ...request, ...rest })
    for (const [seconds, kind, bytes] of events) history.append(id, kind, bytes, seconds)
    history.finish(id, { exitCode: 0, truncatedBytes: 0, endedAt: new Date() })
  }
  record('big', 'admin', [[0, 'o', BIG]])
  for (const id of ['doomed', 'doomed-too']) record(id, 'admin', [[0, 'o', BIG.subarray(0, 30 * MIB)]])
  record('umlauts', 'admin', split('"ä€𝄞\n'))
  record('terminal', 'admin', [
    [0, 'r', Buffer.from('80x24')],
    [0.5, 'o', Buffer.from([0x24, 0x20])],
    [1.25, 'i', Buffer.from('ls\r')],
    [2, 'o', Buffer.from([0, 255, 13, 10])],
    [62.9, 'r', Buffer.from('132x50')],
    [63, 'e', Buffer.from('reason')],
  ])
  record('empty', 'admin', [])
  record('long-script', 'admin', [], LONG_SCRIPT)
  record('theirs', 'other', [[0, 'o', Buffer.from('mine')]])
  history.close()
}

/** As a program writes that does not care for letters: each byte on its own. */
function split(text: string): [number, EventKind, Buffer][] {
  return [...Buffer.from(text)].map((byte, at) => [at, 'o', Buffer.from([byte])])
}

let gateway: RunningGateway
let database: string
beforeAll(async () => {
  gateway = await RunningGateway.start({}, { prepare: fill, limits: '{ wait: 100ms }' })
})
afterAll(() => gateway[Symbol.asyncDispose]())

const asAdmin = { authorization: 'Bearer a-token-for-tests-0123456789', connection: 'close' }

async function result(id: string, query = '', headers: Record<string, string> = {}) {
  const url = `${gateway.gateway.http}/api/sessions/${id}/result/stream${query}`
  const response = await fetch(url, { headers: { ...asAdmin, ...headers } })
  return { response, bytes: Buffer.from(await response.arrayBuffer()) }
}

it('64 answers of one user are sent at once, and one more when a reader has left', async () => {
  const readers = new Set<http.ClientRequest>()
  const read = async () => {
    const request = http.get(`${gateway.gateway.http}/api/sessions/big/result/stream`, { headers: asAdmin })
    readers.add(request)
    // Nothing of the body is read.
    const [response] = (await once(request, 'response')) as [http.IncomingMessage]
    return response.statusCode
  }
  try {
    for (let count = 0; count < 64; count += 1) expect(await read()).toBe(200)
    expect(await read()).toBe(429)
    const [first] = readers
    first?.destroy()
    await waitFor(async () => (await read()) === 200)
  } finally {
    for (const request of readers) request.on('error', () => undefined).destroy()
  }
})

const second = (seconds: number) =>
  new Date(STARTED.getTime() + seconds * 1000).toISOString().replace(/\.\d+Z$/, 'Z')

describe('GET /api/sessions/{id}/result/stream', () => {
  it('is the output, byte for byte, with its length', async () => {
    const { response, bytes } = await result('terminal')
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      'text/plain; charset=utf-8',
    ])
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    expect(response.headers.get('content-length')).toBe('12')
    expect(bytes).toEqual(Buffer.concat([Buffer.from([0x24, 0x20, 0, 255, 13, 10]), Buffer.from('reason')]))
    expect((await result('empty')).bytes).toHaveLength(0)
  })

  it.each([
    ['?newline=1', '$ \n\0\ufffd\r\n\nreason\n'],
    ['?event-time=1', `${second(0)} $ ${second(2)} \0\ufffd\r\n${second(63)} reason`],
    ['?events=i', 'ls\r'],
    ['?events=i,e', 'ls\rreason'],
    ['?events=r', '$ \0\ufffd\r\nreason'],
    ['?events=i,o&newline=1&event-time=1', `${second(0)} $ \n${second(1)} ls\r\n${second(2)} \0\ufffd\r\n\n`],
    ['?newline=0&event-time=yes', '$ \0\ufffd\r\nreason'],
  ])('with %s as hoop formats it', async (query, expected) => {
    expect((await result('terminal', query)).bytes.toString()).toBe(expected)
  })

  it('gives all of 110 MiB to a caller who takes his time, and holds little of it while he waits', async () => {
    const { response, highest } = await slowly('/api/sessions/big/result/stream')
    const hash = createHash('sha256')
    let length = 0
    for await (const piece of response) {
      hash.update(piece as Buffer)
      length += (piece as Buffer).length
    }
    expect(length).toBe(BIG.length)
    expect(hash.digest('hex')).toBe(createHash('sha256').update(BIG).digest('hex'))
    expect(highest).toBeLessThan(60 * MIB)
  })

  it('stops reading when the caller goes away', async () => {
    const response = await open('/api/sessions/big/result/stream')
    response.destroy()
    await new Promise((resolve) => response.once('close', resolve))
    expect((await result('terminal')).response.status).toBe(200)
  })

  it('is broken off, not shortened, when the record is deleted while it is read', async () => {
    const response = await open('/api/sessions/doomed/result/stream')
    remove('doomed')
    await expect(response.resume().toArray()).rejects.toThrow('aborted')
    const { response: next } = await result('doomed')
    expect(next.status).toBe(404)
  })

  it('is for the owner and admins: for others the session does not exist', async () => {
    const { response, bytes } = await result('big', '', { authorization: `Bearer ${otherToken}` })
    expect([response.status, JSON.parse(bytes.toString())]).toEqual([
      404,
      { message: 'not found', code: 'session-not-found' },
    ])
    expect((await result('theirs', '', { authorization: `Bearer ${otherToken}` })).bytes.toString()).toBe(
      'mine',
    )
    expect((await result('theirs')).response.status).toBe(200)
    expect((await result('nope')).response.status).toBe(404)
  })

  it('is what a session has written so far while it runs', async () => {
    await using agent = await RunningAgent.start(gateway.agentUrl)
    await agent.serving()
    const { status, body } = await gateway.script('echo begin; read line < <(sleep 1000); echo end')
    expect(status).toBe(202)
    const id = String(body['session_id'])
    await waitFor(async () => (await result(id)).bytes.toString() === 'begin\n')
    expect((await result(id)).response.headers.get('content-length')).toBeNull()
    const view = await gateway.request('GET', `/api/sessions/${id}?expand=event_stream&event_stream=utf8`)
    expect(view.body).toMatchObject({ status: 'open', event_size: 6, event_stream: ['begin\n'] })
    await gateway.request('POST', `/api/sessions/${id}/kill`)
    await waitFor(() => agent.services.slots.taken === 0)
  })
})

describe('GET /api/sessions/{id}', () => {
  const stream = async (query: string) =>
    (await gateway.request('GET', `/api/sessions/terminal?${query}`)).body['event_stream']

  it('has the sizes of the terminal among the events when it is asked for them', async () => {
    const events = (await stream('expand=event_stream,resize')) as [number, string, string][]
    expect(
      events.map(([seconds, kind, bytes]) => [seconds, kind, Buffer.from(bytes, 'base64').toString()]),
    ).toEqual([
      [0, 'r', '80x24'],
      [0.5, 'o', '$ '],
      [1.25, 'i', 'ls\r'],
      [2, 'o', '\0\ufffd\r\n'],
      [62.9, 'r', '132x50'],
      [63, 'e', 'reason'],
    ])
    const known = (await stream('expand=event_stream')) as [number, string, string][]
    expect(known.map(([, kind]) => kind)).toEqual(['o', 'i', 'o', 'e'])
    expect(await stream('expand=event_stream,resize&event_stream=base64')).toEqual([
      Buffer.from([0x24, 0x20, 0, 255, 13, 10, ...Buffer.from('reason')]).toString('base64'),
    ])
    expect(await stream('expand=resize')).toBeUndefined()
  })

  it('says how long the output is, and who it was', async () => {
    const { body } = await gateway.request('GET', '/api/sessions/terminal')
    expect(body).toMatchObject({
      ...{ event_size: 12, origin: 'client', verb: 'connect', script: { data: '' } },
      ...{ user: 'admin', user_id: 'admin', user_name: 'admin' },
    })
  })

  it('has the output as one text, whatever it was written in', async () => {
    expect(await stream('expand=event_stream&event_stream=utf8')).toEqual(['$ \0\ufffd\r\nreason'])
    const of = async (form: string) =>
      (await gateway.request('GET', `/api/sessions/umlauts?expand=event_stream&event_stream=${form}`)).body
    expect((await of('utf8'))['event_stream']).toEqual(['"ä€𝄞\n'])
    expect((await of('base64'))['event_stream']).toEqual([Buffer.from('"ä€𝄞\n').toString('base64')])
  })

  it('gives 110 MiB of events to a caller who takes his time, and holds little of them while he waits', async () => {
    const { response, highest } = await slowly('/api/sessions/big?expand=event_stream')
    const events = JSON.parse(Buffer.concat(await response.toArray()).toString()) as {
      readonly event_stream: [number, string, string][]
    }
    const bytes = Buffer.concat(events.event_stream.map(([, , text]) => Buffer.from(text, 'base64')))
    expect(bytes.equals(BIG)).toBe(true)
    expect(highest).toBeLessThan(60 * MIB)
  })

  it('gives a script of 16 MiB to a caller who takes his time, and holds little of it while he waits', async () => {
    const { response, highest } = await slowly('/api/sessions/long-script')
    const { script } = JSON.parse(Buffer.concat(await response.toArray()).toString()) as {
      readonly script: { readonly data: string }
    }
    expect(Buffer.from(script.data).equals(LONG_SCRIPT)).toBe(true)
    expect(highest).toBeLessThan(60 * MIB)
  })

  it('is broken off, not shortened, when the record is deleted while it is read', async () => {
    const response = await open('/api/sessions/doomed-too?expand=event_stream')
    remove('doomed-too')
    await expect(response.resume().toArray()).rejects.toThrow('aborted')
  })

  it('refuses a form that there is not', async () => {
    const { status, body } = await gateway.request(
      'GET',
      '/api/sessions/terminal?expand=event_stream&event_stream=x',
    )
    expect([status, body]).toEqual([
      422,
      { message: 'event_stream attribute has an unknown type format', code: 'invalid-request' },
    ])
    expect(await stream('expand=event_stream&event_stream=raw-queries')).toHaveLength(4)
  })
})

/** Else what the tests before have left hides what is measured. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  ;(runInNewContext('gc') as () => void)()
}

const memory = () => process.memoryUsage().heapUsed + process.memoryUsage().external

function open(path: string): Promise<http.IncomingMessage> {
  const { port } = new URL(gateway.gateway.http)
  return new Promise((resolve, reject) => {
    http.get({ port, path, headers: asAdmin }, resolve).on('error', reject)
  })
}

/** Does not read for a while: what is sent and not taken stops the reading from the history. */
async function slowly(path: string): Promise<{ response: http.IncomingMessage; highest: number }> {
  collectGarbage()
  const before = memory()
  const response = await open(path)
  let highest = 0
  for (let i = 0; i < 50; i += 1) {
    await new Promise(setImmediate)
    highest = Math.max(highest, memory() - before)
  }
  return { response, highest }
}

function remove(id: string): void {
  const { db } = openFile(database, undefined)
  db.exec(`PRAGMA foreign_keys = ON; DELETE FROM sessions WHERE id = '${id}'`)
  closeFile(db)
}
