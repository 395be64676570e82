import { randomBytes } from 'node:crypto'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findAccount } from '../../../src/client/account/account.ts'
import { ApiError } from '../../../src/client/rest/api-error.ts'
import { fetchUser, findGrpcUrl } from '../../../src/client/rest/gateway.ts'
import { ask } from '../../../src/client/rest/http.ts'
import { streamBlocks, type StreamBlock } from '../../../src/client/rest/session-stream.ts'
import { block } from '../../support/machine/block.ts'
import { Authority } from '../../support/network/certificates.ts'
import { ConnectProxy } from '../../support/network/connect-proxy.ts'
import { freePort } from '../../support/network/free-port.ts'
import { json, ScriptedRest, type Script } from '../../support/scripted/scripted-rest.ts'

const TOKEN = 'the-token-of-a-test'
const USER = 'GET /api/userinfo'

describe('a question to the gateway', () => {
  it('carries the token and is answered', async () => {
    await using rest = await ScriptedRest.start()
    rest.on(USER, json(200, { name: 'Ada', email: 'ada@example.test', is_admin: true }))
    expect(await fetchUser(account(rest.url))).toEqual({ name: 'ada@example.test', isAdmin: true })
    expect(rest.received[0]?.headers).toMatchObject({
      authorization: `Bearer ${TOKEN}`,
      host: `127.0.0.1:${rest.port}`,
    })
  })

  it.each<[string, Script, object]>([
    [
      '401',
      json(401, { message: 'access denied' }),
      { kind: 'refused', status: 401, message: 'access denied' },
    ],
    ['403', json(403, { message: 'access denied' }), { kind: 'refused', status: 403 }],
    ['404', json(404, { message: 'not found' }), { kind: 'not-found', message: 'not found' }],
    ['422', json(422, { message: 'too long' }), { kind: 'invalid', message: 'too long' }],
    ['500', json(500, { message: 'database down' }), { kind: 'failed', message: 'database down' }],
    [
      '500 without a word',
      (_, r) => r.writeHead(502).end('<html>'),
      { kind: 'failed', message: 'HTTP status 502' },
    ],
    [
      'control characters',
      json(400, { message: 'a\u001b[31m\nb' }),
      { kind: 'invalid', message: 'a [31m b' },
    ],
    [
      'a page',
      (_, r) => r.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
      { kind: 'no-gateway' },
    ],
    [
      'an upgrade that nobody asked for',
      (_, r) => void r.socket?.write('HTTP/1.1 101 Go on\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n'),
      { kind: 'unreachable' },
    ],
    [
      'a page that is not found',
      (_, r) => r.writeHead(404).end('<html>'),
      { kind: 'no-gateway', status: 404 },
    ],
    ['other JSON', json(200, ['x']), { kind: 'no-gateway' }],
    [
      'an answer without end',
      (_, r) => void r.writeHead(200).write(Buffer.alloc(33 * 1024 * 1024)),
      { kind: 'no-gateway' },
    ],
    [
      'an answer that breaks off',
      (_, r) => r.writeHead(200, { 'content-length': '9' }).write('{', () => r.destroy()),
      { kind: 'unreachable' },
    ],
    ['no answer at all', (_, r) => r.destroy(), { kind: 'unreachable' }],
  ])('that is answered with %s fails by its kind', async (_, script, expected) => {
    await using rest = await ScriptedRest.start()
    rest.on(USER, script)
    expect(await failure(fetchUser(account(rest.url)))).toMatchObject(expected)
  })

  it('does not follow a redirect: the token is for this gateway', async () => {
    await using other = await ScriptedRest.start()
    await using rest = await ScriptedRest.start()
    rest.on(USER, (_, response) => response.writeHead(302, { location: `${other.url}/api/userinfo` }).end())
    const error = await failure(fetchUser(account(rest.url)))
    expect([error.kind, error.message]).toEqual([
      'no-gateway',
      expect.stringContaining(`redirects to ${other.url}`),
    ])
    expect(other.received).toEqual([])
  })

  it('fails as unreachable where nobody listens, and where a name does not exist', async () => {
    const port = await freePort()
    expect(await failure(fetchUser(account(`http://127.0.0.1:${port}`)))).toMatchObject({
      kind: 'unreachable',
      message: `the gateway http://127.0.0.1:${port} cannot be reached: nothing listens there (ECONNREFUSED)`,
    })
    expect(await failure(fetchUser(account('https://no-such-name.invalid')))).toMatchObject({
      kind: 'unreachable',
    })
  })

  it('ends with its signal, also while nothing is answered', async () => {
    await using rest = await ScriptedRest.start()
    const stop = new AbortController()
    rest.on(USER, () => stop.abort())
    expect(await failure(fetchUser(account(rest.url), stop.signal))).toMatchObject({ kind: 'unreachable' })
    expect(await failure(fetchUser(account(rest.url), AbortSignal.abort()))).toMatchObject({
      kind: 'unreachable',
    })
    expect(rest.received).toHaveLength(1)
  })

  it('ends with its signal also when that comes between the connection and the request', async () => {
    await using rest = await ScriptedRest.start()
    rest.on(USER, () => undefined)
    // Nothing else runs in that gap: it is some turns of promises long.
    for (let turns = 0; turns < 12; turns++) {
      const stop = new AbortController()
      const connecting = (message: unknown) => {
        const { socket } = message as { socket: Socket }
        socket.once('connect', () => void afterTurns(turns).then(() => stop.abort()))
      }
      subscribe('net.client.socket', connecting)
      const asked = failure(fetchUser(account(rest.url), stop.signal))
      unsubscribe('net.client.socket', connecting)
      expect(await asked).toMatchObject({ kind: 'unreachable' })
    }
  })
})

async function afterTurns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await Promise.resolve()
}

describe('a question over TLS', () => {
  const authority = new Authority('Ours')
  const issued = authority.issue({ names: ['127.0.0.1'] })

  it('is asked of a gateway whose certificate HOOP_TLSCA has signed, and of no other', async () => {
    await using rest = await ScriptedRest.start(issued)
    rest.on(USER, json(200, { email: 'ada@example.test' }))
    const trusted = account(rest.url, { HOOP_TLSCA: authority.certificate })
    expect((await fetchUser(trusted)).name).toBe('ada@example.test')
    const error = await failure(fetchUser(account(rest.url)))
    expect([error.kind, error.message]).toEqual([
      'unreachable',
      expect.stringContaining('set tls.ca (HOOP_TLSCA)'),
    ])
    expect(
      await failure(
        fetchUser(account(rest.url, { HOOP_TLSCA: authority.certificate, HOOP_TLSSERVERNAME: 'other.test' })),
      ),
    ).toMatchObject({ message: expect.stringContaining('HOOP_TLSSERVERNAME') as string })
    expect((await fetchUser(account(rest.url, { HOOP_TLS_SKIP_VERIFY: 'true' }))).name).toBe(
      'ada@example.test',
    )
    expect(rest.received).toHaveLength(2)
  })

  it('goes through the proxy of the environment', async () => {
    await using rest = await ScriptedRest.start(issued)
    await using proxy = await ConnectProxy.start(rest.port)
    rest.on(USER, json(200, { email: 'ada@example.test' }))
    const env = {
      HTTPS_PROXY: `http://user:word@${proxy.address}`,
      HOOP_TLSCA: authority.certificate,
      HOOP_TLSSERVERNAME: '127.0.0.1',
    }
    expect((await fetchUser(account('https://gateway.test', env))).name).toBe('ada@example.test')
    expect([proxy.targets, rest.received[0]?.headers.host]).toEqual([['gateway.test:443'], 'gateway.test'])
    proxy.refusal = '403 Forbidden'
    expect((await failure(fetchUser(account('https://gateway.test', env)))).message).toContain(
      `the proxy ${proxy.address} answered 403`,
    )
  })

  it('says so when the port does not speak it', async () => {
    await using rest = await ScriptedRest.start()
    expect(await failure(fetchUser(account(rest.url.replace('http', 'https'))))).toMatchObject({
      message: expect.stringContaining('does not speak TLS') as string,
    })
    expect(rest.received).toEqual([])
  })
})

describe('a long answer', () => {
  const question = { method: 'GET', path: '/api/long', pieceMs: 1000 } as const

  it('waits for a reader who takes longer than the gateway may', async () => {
    await using rest = await ScriptedRest.start()
    const sent = randomBytes(8 * 1024 * 1024)
    rest.on('GET /api/long', (_, response) => response.end(sent))
    const parts: Buffer[] = []
    for await (const part of (await ask(account(rest.url), question)).body) {
      if (parts.length === 0) await delay(1.5 * question.pieceMs)
      parts.push(part)
    }
    expect(Buffer.concat(parts).equals(sent)).toBe(true)
  })

  it('is not broken off when it is we who were stopped, and the next piece lies there', async () => {
    await using rest = await ScriptedRest.start()
    const answering = new Promise<ServerResponse>((resolve) =>
      rest.on('GET /api/long', (_, response) => {
        response.write('one')
        resolve(response)
      }),
    )
    const { body } = await ask(account(rest.url), { ...question, pieceMs: 100 })
    const pieces = body[Symbol.asyncIterator]()
    expect(String((await pieces.next()).value)).toBe('one')
    const second = pieces.next()
    const response = await answering
    response.end('two')
    block(200)
    expect(String((await second).value)).toBe('two')
    expect((await pieces.next()).done).toBe(true)
  })

  it('breaks off when the gateway says nothing more', async () => {
    await using rest = await ScriptedRest.start()
    rest.on('GET /api/long', (_, response) => void response.write('a beginning'))
    const { body } = await ask(account(rest.url), question)
    const read = async () => {
      for await (const part of body) expect(part.toString()).toBe('a beginning')
    }
    expect(await failure(read())).toMatchObject({
      kind: 'unreachable',
      message: expect.stringContaining('the answer broke off (no data for 1 s)') as string,
    })
  })
})

describe('the address of the streams', () => {
  it("is the account's own, else the gateway's word for it", async () => {
    await using rest = await ScriptedRest.start()
    rest.on('GET /api/serverinfo', json(200, { grpc_url: 'grpc://127.0.0.1:8010', version: '1' }))
    expect(await findGrpcUrl(account(rest.url))).toBe('grpc://127.0.0.1:8010')
    expect(await findGrpcUrl(account(rest.url, { HOOP_GRPCURL: '127.0.0.1:1' }))).toBe('127.0.0.1:1')
    rest.on('GET /api/serverinfo', json(200, {}))
    expect((await failure(findGrpcUrl(account(rest.url)))).message).toMatch(/set HOOP_GRPCURL/)
  })
})

function account(HOOP_APIURL: string, env: NodeJS.ProcessEnv = {}): ReturnType<typeof findAccount> {
  return findAccount({ env: { HOOP_APIURL, HOOP_TOKEN: TOKEN, ...env }, stored: undefined, file: '' })
}

async function failure(asked: Promise<unknown>): Promise<ApiError> {
  const error: unknown = await asked.then(
    () => new Error('it was answered'),
    (reason: unknown) => reason,
  )
  if (!(error instanceof ApiError)) throw error as Error
  expect(error.message).not.toContain(TOKEN)
  return error
}

const TEXT =
  ': connected\nid: 7\n\nid: 8\r\nevent: event\r\ndata: {"€": "é𝄞"}\r\n\r\n: keepalive\n\ndata:a\rdata: b\r\r' +
  'event: session_end\ndata: {}\n\nevent: cut off'
const BLOCKS: readonly StreamBlock[] = [
  { id: '7', name: '', data: undefined },
  { id: '8', name: 'event', data: '{"€": "é𝄞"}' },
  { id: undefined, name: '', data: undefined },
  { id: undefined, name: '', data: 'a\nb' },
  { id: undefined, name: 'session_end', data: '{}' },
]

async function blocksOf(pieces: Iterable<Buffer>): Promise<StreamBlock[]> {
  const blocks: StreamBlock[] = []
  for await (const block of streamBlocks(Readable.from(pieces))) blocks.push(block)
  return blocks
}

describe('an event stream', () => {
  it('is the same wherever it was cut into pieces, within a character too', async () => {
    const bytes = Buffer.from(TEXT)
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 9 }),
        async (cuts) => {
          const edges = [0, ...cuts.toSorted((a, b) => a - b), bytes.length]
          const pieces = edges.slice(1).map((end, i) => bytes.subarray(edges[i], end))
          expect(await blocksOf(pieces)).toEqual(BLOCKS)
        },
      ),
    )
  })

  it('is refused when something in it does not end', async () => {
    const endless = Array.from({ length: 40 }, () => Buffer.alloc(64 * 1024, 'x'))
    await expect(blocksOf(endless)).rejects.toThrow(/not a stream of events/)
    const lines = Array.from({ length: 40 }, () => Buffer.alloc(64 * 1024, 'data: x\n'))
    await expect(blocksOf(lines)).rejects.toThrow(/not a stream of events/)
  })
})
