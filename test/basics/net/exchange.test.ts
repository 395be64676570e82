import { once } from 'node:events'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { createSecureContext } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { exchange } from '../../../src/basics/net/exchange.ts'
import { Secret } from '../../../src/basics/secret.ts'
import { Authority } from '../../support/network/certificates.ts'
import { ConnectProxy } from '../../support/network/connect-proxy.ts'
import { json, VaultServer } from '../../support/secrets/vault-server.ts'
import { waitFor } from '../../support/wait.ts'

const authority = new Authority('exchange')
const context = createSecureContext({ ca: authority.certificate })

const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'
const OK = 'HTTP/1.1 200 OK\r\n\r\n'

/** What a hostile server begins with, what it repeats until the connection ends, and how that ends. */
const HOSTILE: readonly (readonly [string, string, string, RegExp])[] = [
  ['an upgrade', 'HTTP/1.1 101 Go on\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nx', '', /upgrade/],
  ['endless headers', 'HTTP/1.1 200 OK\r\n', 'X: y\r\n'.repeat(1000), /Header overflow/],
  ['an endless body', OK, 'x'.repeat(10_000), /longer than 65536 bytes/],
  ['endless trailers', `${CHUNKED}0\r\n`, 'X: y\r\n'.repeat(1000), /unexpected EOF/],
  ['an endless chunk line', `${CHUNKED}5;`, 'x'.repeat(10_000), /unexpected EOF/],
  [
    'two lengths',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
    '',
    /Content-Length/,
  ],
]

/** Its disposal ends when its connections have. */
async function listening(server: Server) {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const close = () => new Promise<void>((resolve) => server.close(() => resolve()))
  return { port: (server.address() as AddressInfo).port, [Symbol.asyncDispose]: close }
}

function hostile(first: string, repeated: string) {
  const server = createServer((socket) => {
    const repeat = () => {
      while (socket.writable && socket.write(repeated));
    }
    socket.on('error', () => undefined)
    socket.once('data', () => {
      socket.write(first)
      if (repeated !== '') repeat()
    })
    if (repeated !== '') socket.on('drain', repeat)
  })
  return listening(server)
}

const ask = (port: number, signal: AbortSignal) =>
  exchange({
    ...{ method: 'GET', isSecure: false, host: '127.0.0.1', port, path: '/', headers: {} },
    ...{ limit: 64 * 1024, signal },
  })

describe('an HTTP exchange', () => {
  it('goes through a proxy, which sees the host and its own credentials and nothing else', async () => {
    await using server = await VaultServer.start(authority.issue({ names: ['vault.invalid'] }))
    await using proxy = await ConnectProxy.start(server.port)
    server.answer = (_, response) => json(response, 200, { done: true })
    const reply = await exchange({
      ...{
        method: 'POST',
        isSecure: true,
        host: 'vault.invalid',
        port: 443,
        path: '/x',
        headers: { A: 'b' },
      },
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
      ...{
        method: 'GET',
        isSecure: true,
        host: 'vault.invalid',
        port: 443,
        path: '/',
        headers: { A: 'b\n' },
      },
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

  it.each(HOSTILE)('ends by itself with %s', async (_, first, repeated, says) => {
    await using server = await hostile(first, repeated)
    await expect(ask(server.port, new AbortController().signal)).rejects.toThrow(says)
  })

  it.each([
    ['hints', 'HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n', ''],
    ['a body in drops', 'x', OK],
  ])('ends with its signal while it gets %s', async (_, piece, first) => {
    const stop = new AbortController()
    let pieces = 0
    await using server = await listening(
      createServer((socket) => {
        const next = () => {
          if (++pieces === 100) stop.abort(new Error('stopped'))
          if (socket.writable) socket.write(piece, () => setImmediate(next))
        }
        socket.on('error', () => undefined)
        socket.once('data', () => socket.write(first, next))
      }),
    )
    await expect(ask(server.port, stop.signal)).rejects.toThrow('stopped')
  })
})
