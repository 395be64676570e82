import dns from 'node:dns/promises'
import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { syncBuiltinESMExports } from 'node:module'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RequestOrder } from '../../../src/gateway/rest/request-order.ts'
import { rawAnswers } from '../../support/scripted/raw-http.ts'
import { RunningGateway, userToken } from '../../support/sites/running-gateway.ts'
import { waitFor } from '../../support/wait.ts'

const MOST = 17

const of = (path: string, ...headers: string[]) =>
  [`GET ${path} HTTP/1.1`, 'Host: x', `Authorization: Bearer ${userToken}`, ...headers, '', ''].join('\r\n')
const last = (path: string) => of(path, 'Connection: close')
const webSocket = of(
  '/api/connections/bash/terminal',
  ...['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'],
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
)
const h2c = of(
  '/api/healthz',
  ...['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA'],
)
const tunnel = 'CONNECT a.test:443 HTTP/1.1\r\nHost: x\r\n\r\n'

describe('requests of one connection', () => {
  interface Begun {
    readonly path: string
    readonly answer: ServerResponse
  }

  type Test = (begun: readonly Begun[], socket: Socket, server: Server, order: RequestOrder) => Promise<void>

  async function serving(test: Test): Promise<void> {
    const begun: Begun[] = []
    const server = createServer((request, answer) => begun.push({ path: request.url ?? '', answer }))
    const order = new RequestOrder(server)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const socket = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' })
    try {
      await test(begun, socket, server, order)
    } finally {
      socket.destroy()
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    }
  }

  it('each begins when the answer before it has gone', () =>
    serving(async (begun, socket) => {
      const paths = Array.from({ length: MOST }, (_, at) => `/${at}`)
      socket.write(paths.map((path) => of(path)).join(''))
      for (const [at, path] of paths.entries()) {
        await waitFor(() => begun.length > at)
        expect(begun.slice(at).map((one) => one.path)).toEqual([path])
        begun[at]?.answer.end(path)
      }
    }))

  it('none begins after the connection has gone, and each that has begun ends', () =>
    serving(async (begun, socket) => {
      socket.write(of('/first') + of('/second'))
      await waitFor(() => begun.length === 1)
      socket.destroy()
      await once(begun[0]?.answer ?? socket, 'close')
      expect(begun).toHaveLength(1)
    }))

  it('a request too many ends the connection', () =>
    serving(async (begun, socket) => {
      socket.resume()
      socket.write(of('/').repeat(MOST + 500))
      await once(socket, 'close')
      expect(begun).toHaveLength(1)
    }))

  it('that Node hands over after the server has begun to close end at once', () =>
    serving(async (begun, socket, server, order) => {
      server.on('upgrade', (_, handedOver: Socket) => order.endHandedOver(handedOver))
      socket.resume()
      socket.write(of('/'))
      await waitFor(() => begun.length === 1)
      order.close()
      socket.write(webSocket)
      await once(socket, 'close')
      expect(begun[0]?.answer.writableEnded).toBe(false)
    }))
})

describe('a gateway', () => {
  let gateway: RunningGateway
  beforeAll(async () => {
    gateway = await RunningGateway.start()
  })
  afterAll(() => gateway[Symbol.asyncDispose]())
  const answered = async (requests: string) =>
    (await rawAnswers(gateway.gateway.http, requests)).map(({ status }) => status)

  it('answers seventeen requests of one write, and no more', async () => {
    const requests = of('/docs/json') + of('/api/nothing') + of('/api/sessions').repeat(MOST - 3)
    expect(await answered(requests + last('/api/healthz'))).toEqual([
      ...[200, 404],
      ...Array.from({ length: MOST - 3 }, () => 200),
      200,
    ])
    expect((await answered(of('/docs/json').repeat(MOST) + last('/api/healthz'))).length).toBeLessThan(MOST)
  })

  const malformed = 'no request\r\n\r\n'
  const broken = `POST /api/sessions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nno length\r\n`
  const unexpected = of('/api/healthz', 'Expect: a-miracle', 'Connection: close')
  it.each([
    ['a WebSocket', webSocket],
    ['an offer of HTTP/2', h2c],
    ['a tunnel', tunnel],
    ['malformed bytes', malformed],
    ['a request with a malformed body', broken],
  ])('answers requests, and then ends because of what follows them: %s', async (_, following) => {
    expect(await answered(of('/docs/json') + of('/api/sessions') + following)).toEqual([200, 200])
  })

  it('answers a request after one whose answer is a refusal', async () => {
    expect(await answered(of('/docs/json') + unexpected)).toEqual([200, 417])
  })

  it('takes an upgrade on a connection whose answers have gone', async () => {
    const { hostname, port } = new URL(gateway.gateway.http)
    const socket = connect({ host: hostname, port: Number(port) })
    let received = ''
    socket.on('data', (piece: Buffer) => (received += piece.toString('latin1')))
    socket.write(of('/api/healthz'))
    await waitFor(() => received.includes('{"liveness":"OK"}'))
    received = ''
    socket.write(h2c)
    await waitFor(() => received.includes('{"liveness":"OK"}'))
    received = ''
    socket.write(webSocket.replace('Host: x', `Host: ${hostname}:${port}`))
    await waitFor(() => received.startsWith('HTTP/1.1 101 '))
    socket.destroy()
  })
})

// Without a bound the test would wait for ever: a connection of which nobody knows keeps its server open.
it.each([
  ['of a WebSocket', webSocket, true],
  ['of HTTP/2', h2c, true],
  ['of a WebSocket, whose client stays', webSocket, false],
])('a gateway can close after an upgrade %s behind a request', async (_, upgrade, isGone) => {
  const gateway = await RunningGateway.start()
  const { hostname, port } = new URL(gateway.gateway.http)
  const socket = connect({ host: hostname, port: Number(port) })
  socket.on('error', () => undefined)
  socket.pause()
  // The stream of changes has no end, so the upgrade would wait for ever.
  const first = isGone ? '/docs/json' : '/api/changes'
  await new Promise((resolve) => socket.write(of(first) + upgrade, resolve))
  await rawAnswers(gateway.gateway.http, last('/api/healthz'))
  if (isGone) socket.destroy()
  await gateway[Symbol.asyncDispose]()
  socket.destroy()
})

it('localhost is one server with all its addresses', async () => {
  const { lookup } = dns
  const addresses = ['127.0.0.1', '127.0.0.2'].map((address) => ({ address, family: 4 }))
  Object.assign(dns, { lookup: () => Promise.resolve(addresses) })
  syncBuiltinESMExports()
  try {
    await using gateway = await RunningGateway.start({}, { host: 'localhost' })
    for (const { address } of addresses) {
      const url = gateway.gateway.http.replace('127.0.0.1', address)
      expect((await rawAnswers(url, last('/api/healthz'))).map(({ body }) => body)).toEqual([
        '{"liveness":"OK"}',
      ])
      expect((await rawAnswers(url, of('/docs/json').repeat(MOST + 1))).length).toBeLessThan(MOST)
      const [fault] = await rawAnswers(url, 'hello\r\n\r\n')
      expect(JSON.parse(fault?.body ?? '')).toMatchObject({ code: 'malformed-http' })
    }
  } finally {
    Object.assign(dns, { lookup })
    syncBuiltinESMExports()
  }
})
