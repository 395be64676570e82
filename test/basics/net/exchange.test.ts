import { createSecureContext } from 'node:tls'
import { expect, it } from 'vitest'
import { exchange } from '../../../src/basics/net/exchange.ts'
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
