import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { createSecureContext } from 'node:tls'
import { expect, it } from 'vitest'
import { exchange } from '../../../src/basics/net/exchange.ts'
import { patience } from '../../../src/basics/patience.ts'
import { Secret } from '../../../src/basics/secret.ts'
import { Authority } from '../../support/network/certificates.ts'
import { ConnectProxy } from '../../support/network/connect-proxy.ts'
import { json, VaultServer } from '../../support/secrets/vault-server.ts'
import { waitFor } from '../../support/wait.ts'

const authority = new Authority('exchange')
const context = createSecureContext({ ca: authority.certificate })

it('goes through a proxy, which sees the host and its own credentials and nothing else', async () => {
  await using server = await VaultServer.start(authority.issue({ names: ['vault.invalid'] }))
  await using proxy = await ConnectProxy.start(server.port)
  server.answer = (_, response) => json(response, 200, { done: true })
  const reply = await exchange({
    ...{ method: 'POST', isSecure: true, host: 'vault.invalid', port: 443, path: '/x', headers: { A: 'b' } },
    ...{ body: 'ü', limit: 100, signal: new AbortController().signal, tls: { context, skipVerify: false } },
    proxy: { address: proxy.address, credentials: new Secret('me:pw') },
  })
  expect([reply.status, reply.body.toString()]).toEqual([200, '{"done":true}'])
  expect(proxy.targets).toEqual(['vault.invalid:443'])
  expect(proxy.credentials).toEqual([`Basic ${Buffer.from('me:pw').toString('base64')}`])
  const [{ headers, body } = { headers: {}, body: '' }] = server.requests
  expect(body).toBe('ü')
  expect(headers).toEqual({ a: 'b', host: 'vault.invalid', connection: 'close', 'content-length': '2' })
})

it('leaves no connection behind when a header cannot be sent', async () => {
  await using server = await VaultServer.start(authority.issue({ names: ['vault.invalid'] }))
  await using proxy = await ConnectProxy.start(server.port)
  const asked = exchange({
    ...{ method: 'GET', isSecure: true, host: 'vault.invalid', port: 443, path: '/', headers: { A: 'b\n' } },
    ...{ limit: 100, signal: new AbortController().signal, tls: { context, skipVerify: false } },
    proxy: { address: proxy.address, credentials: undefined },
  })
  await expect(asked).rejects.toMatchObject({ code: 'ERR_INVALID_CHAR' })
  await waitFor(() => proxy.open === 0)
})

it('ends with its signal in the proxy, too', async () => {
  await using proxy = await ConnectProxy.start(1)
  proxy.refusal = 'silence'
  const over = new AbortController()
  const asked = exchange({
    ...{ method: 'GET', isSecure: true, host: 'vault.invalid', port: 443, path: '/', headers: {} },
    ...{ limit: 100, signal: over.signal, tls: { context, skipVerify: false } },
    proxy: { address: proxy.address, credentials: undefined },
  })
  const reason = new Error('over')
  const ended = expect(asked).rejects.toBe(reason)
  await waitFor(() => proxy.targets.length > 0)
  over.abort(reason)
  await ended
})

/** What a hostile server sends when it is asked. It goes on until the connection ends. */
const HOSTILE: readonly (readonly [string, (socket: Socket) => void])[] = [
  [
    'an upgrade',
    (socket) => void socket.write('HTTP/1.1 101 Go on\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nx'),
  ],
  ['endless hints', (socket) => repeat(socket, 'HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n')],
  ['endless headers', (socket) => repeat(socket, 'X: y\r\n', 'HTTP/1.1 200 OK\r\n')],
  ['an endless body', (socket) => repeat(socket, 'x'.repeat(10_000), 'HTTP/1.1 200 OK\r\n\r\n')],
  ['a body in drops', (socket) => repeat(socket, 'x', 'HTTP/1.1 200 OK\r\n\r\n')],
  ['endless trailers', (socket) => repeat(socket, 'X: y\r\n', `${CHUNKED}0\r\n`)],
  ['an endless chunk line', (socket) => repeat(socket, 'x'.repeat(10_000), `${CHUNKED}5;`)],
  [
    'two lengths',
    (socket) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'),
  ],
]
const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'

function repeat(socket: Socket, text: string, first = ''): void {
  socket.write(first)
  const timer = setInterval(() => socket.write(text), 1)
  socket.once('close', () => clearInterval(timer))
}

it.each(HOSTILE)('ends with %s', async (_, serve) => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => serve(socket))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const asked = exchange({
    ...{ method: 'GET', isSecure: false, host: '127.0.0.1', port, path: '/', headers: {} },
    ...{ limit: 64 * 1024, signal: patience(2000, new AbortController().signal) },
  })
  await expect(asked).rejects.toThrow()
  await new Promise((resolve) => server.close(resolve))
})
