import { request } from 'node:http'
import { hostname } from 'node:os'
import { text } from 'node:stream/consumers'
import { expect, it } from 'vitest'
import { KnownHosts } from '../../../src/gateway/rest/known-hosts.ts'
import { RunningGateway, userToken } from '../../support/sites/running-gateway.ts'

const REQUEST = { socket: { remoteAddress: '203.0.113.9' } }
const hosts = (more: object = {}, webUrl = 'http://127.0.0.1:8009', tls?: (name: string) => boolean) =>
  new KnownHosts({
    settings: {
      value: { listen: { http: { host: '0.0.0.0', port: 8009 }, hosts: [], trustedProxies: [], ...more } },
    },
    webUrl: () => webUrl,
    server: { tls: tls && { isFor: tls } },
  } as unknown as ConstructorParameters<typeof KnownHosts>[0])
const isKnown = (of: KnownHosts, host: string) => of.isKnown({ ...REQUEST, headers: { host } })

it('a host is known if it is an address, a private name, or a name of the settings', () => {
  const own = hosts(
    { hosts: ['Runs.example.com'] },
    'https://gateway.example.com/',
    (name) => name === 'cert.example.com',
  )
  for (const host of [
    '127.0.0.1:8009',
    '192.0.2.7',
    '[::1]:8009',
    'localhost:8009',
    'LOCALHOST',
    'a.localhost',
    'runbook-gateway:8009',
    'runbook-gateway.ops.svc:8009',
    'runbook-gateway.ops.svc.cluster.local',
    hostname(),
    'gateway.example.com',
    'gateway.example.com.:443',
    'runs.example.com:8009',
    'cert.example.com',
  ])
    expect([host, isKnown(own, host)]).toEqual([host, true])
  for (const host of [
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example:8009',
    'svc.evil.example',
    '',
  ])
    expect([host, isKnown(own, host)]).toEqual([host, false])
})

it('a trusted proxy decides which names it serves', () => {
  const behind = hosts({ trustedProxies: ['203.0.113.0/24'] })
  expect(isKnown(behind, 'any.example.com')).toBe(true)
  expect(isKnown(hosts({ trustedProxies: ['198.51.100.0/24'] }), 'any.example.com')).toBe(false)
})

it('a gateway refuses a foreign Host and a foreign Origin everywhere, also for upgrades', async () => {
  await using gateway = await RunningGateway.start({}, { listen: 'public-url: "https://runs.example.com"' })
  const ask = (path: string, headers: Record<string, string>) => statusOf(gateway, path, headers)
  for (const path of ['/', '/api/sessions', '/api/healthz', '/docs', '/api/nothing', '/mcp']) {
    expect([path, await ask(path, { host: 'evil.example' })]).toEqual([path, 403])
    expect([path, await ask(path, { origin: 'https://evil.example' })]).toEqual([path, 403])
    expect([path, await ask(path, { origin: 'null' })]).toEqual([path, 403])
  }
  const upgrade = { connection: 'Upgrade', upgrade: 'runbook-agent-packets', host: 'evil.example' }
  expect(await ask('/api/streams/exec', upgrade)).toBe(403)
  const socket = { connection: 'Upgrade', upgrade: 'websocket', host: 'evil.example' }
  expect(await ask('/api/connections/bash/terminal', socket)).toBe(403)
  expect(await ask('/api/sessions', { host: 'runs.example.com' })).toBe(200)
  expect(await ask('/api/sessions', { host: 'runs.example.com', origin: 'https://runs.example.com' })).toBe(
    200,
  )
})

it('nothing below /.well-known exists, with a token or without', async () => {
  await using gateway = await RunningGateway.start()
  for (const path of ['/.well-known/oauth-protected-resource', '/.well-known/oauth-protected-resource/mcp']) {
    expect(await statusOf(gateway, path, {})).toBe(404)
    expect(await statusOf(gateway, path, { authorization: '' })).toBe(404)
  }
})

async function statusOf(
  gateway: RunningGateway,
  path: string,
  headers: Record<string, string>,
): Promise<number | undefined> {
  const at = new URL(gateway.gateway.http)
  const usual = { connection: 'close', authorization: `Bearer ${userToken}` }
  const sent = request({ host: at.hostname, port: at.port, path, headers: { ...usual, ...headers } })
  sent.end()
  const response = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
    sent.on('response', resolve)
    sent.on('error', reject)
  })
  await text(response)
  return response.statusCode
}
