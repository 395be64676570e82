import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import {
  callerAddress,
  formatAddress,
  isLoopback,
  parseAddress,
  parseListen,
  proxyNetwork,
} from '../../../src/basics/net/address.ts'
import { ScriptedClient } from '../../support/scripted/scripted-client.ts'
import { RunningGateway, userToken } from '../../support/sites/running-gateway.ts'
import { waitFor } from '../../support/wait.ts'

test.each([
  ['127.0.0.1:8009', '127.0.0.1', 8009],
  ['0.0.0.0:0', '0.0.0.0', 0],
  ['[::1]:8009', '::1', 8009],
  ['[::]:65535', '::', 65_535],
  ['localhost:1', 'localhost', 1],
  ['db-1.example.com:22', 'db-1.example.com', 22],
])('%s is an address', (text, host, port) => {
  expect(parseAddress(text)).toEqual({ host, port })
})

test.each([
  ...[
    '',
    ':8009',
    '8009',
    'localhost',
    'localhost:',
    '127.0.0.1:65536',
    '127.0.0.1:-1',
    '127.0.0.1:1:2',
    '::1:8009',
  ],
  ...[
    '[127.0.0.1]:1',
    '[]:1',
    '[::1]',
    'a b:1',
    '-a:1',
    'a..b:1',
    'a_b:1',
    'http://a:1',
    '127.0.0.1:80 ',
    '[::1%lo]:1x',
  ],
])('%j is no address', (text) => {
  expect(parseAddress(text)).toBeUndefined()
})

test('a port, an address or a name with a port can be listened on', () => {
  const known = [
    ['9100', { host: '127.0.0.1', port: 9100 }],
    ['0', { host: '127.0.0.1', port: 0 }],
    ['127.0.0.1:9100', { host: '127.0.0.1', port: 9100 }],
    ['0.0.0.0:9100', { host: '0.0.0.0', port: 9100 }],
    ['localhost:9100', { host: 'localhost', port: 9100 }],
    ['db-1.example.com:65535', { host: 'db-1.example.com', port: 65_535 }],
    ['[::1]:9100', { host: '::1', port: 9100 }],
    ['[::]:9100', { host: '::', port: 9100 }],
  ] as const
  for (const [text, expected] of known) expect(parseListen(text), text).toEqual(expected)
})

test('anything else is none', () => {
  const others = [
    '',
    ':',
    ':9100',
    '*:9100',
    '127.0.0.1',
    'localhost',
    '127.0.0.1:',
    '127.0.0.1:65536',
    '99999',
    '-1',
    '9100 ',
    '::1:9100',
    '[127.0.0.1]:9100',
    '[]:9100',
    '256.0.0.1:9100',
    '1.2.3:9100',
    'http://127.0.0.1:9100',
    'a b:1',
    '-a:1',
  ]
  expect(others.filter((text) => parseListen(text) !== undefined)).toEqual([])
})

test('every address that is formatted is read as the same one', () => {
  const host = fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain())
  fc.assert(
    fc.property(host, fc.integer({ min: 0, max: 65_535 }), (host, port) => {
      expect(parseListen(formatAddress({ host, port }))).toEqual({ host, port })
    }),
    { numRuns: 200 },
  )
})

test.each(['127.0.0.1', '127.8.9.1', '::1', 'localhost', 'LOCALHOST'])('%s is loopback', (host) => {
  expect(isLoopback(host)).toBe(true)
})

test.each([
  '0.0.0.0',
  '::',
  '128.0.0.1',
  '127.0.0.1.example.com',
  'localhost.example.com',
  '10.0.0.1',
  '127',
])('%s is not loopback', (host) => {
  expect(isLoopback(host)).toBe(false)
})

test.each([
  ['nobody is believed by default', [], '10.0.0.7', '192.0.2.1', '10.0.0.7'],
  ['a proxy is', ['10.0.0.7/32'], '10.0.0.7', '192.0.2.1', '192.0.2.1'],
  ['somebody else is not', ['10.0.0.8/32'], '10.0.0.7', '192.0.2.1', '10.0.0.7'],
  ['a proxy that says nothing is the caller', ['10.0.0.0/8'], '10.0.0.7', undefined, '10.0.0.7'],
  [
    'what callers write themselves does not count',
    ['10.0.0.0/8'],
    '10.0.0.7',
    '1.1.1.1, 192.0.2.1',
    '192.0.2.1',
  ],
  ['proxies behind one another', ['10.0.0.0/8'], '10.0.0.7', '192.0.2.1,10.0.0.9, 10.0.0.8', '192.0.2.1'],
  ['a call that proxies alone have made', ['10.0.0.0/8'], '10.0.0.7', '10.0.0.9', '10.0.0.9'],
  ['what is no address is left', ['10.0.0.0/8'], '10.0.0.7', 'unknown', '10.0.0.7'],
  [
    'what is before something that is no address is not read',
    ['10.0.0.0/8'],
    '10.0.0.7',
    '192.0.2.1, unknown',
    '10.0.0.7',
  ],
  ['with a port', ['10.0.0.0/8'], '10.0.0.7', '192.0.2.1:4711', '192.0.2.1'],
  ['IPv6 with a port', ['10.0.0.0/8'], '10.0.0.7', '[2001:db8::1]:4711', '2001:db8::1'],
  ['IPv6', ['fd00::/8'], 'fd00::7', '2001:db8::1', '2001:db8::1'],
  ['IPv4 on a socket of both', ['10.0.0.0/8'], '::ffff:10.0.0.7', '192.0.2.1', '192.0.2.1'],
])('%s', (_, proxies, peer, forwardedFor, caller) => {
  expect(callerAddress(proxies)(peer, forwardedFor)).toBe(caller)
})

test('whatever is in the header, the caller is the peer or an address in it', () => {
  const written = fc.array(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string()), { maxLength: 5 })
  fc.assert(
    fc.property(written, fc.ipV4(), (addresses, behind) => {
      const found = callerAddress(['10.0.0.7/32'])
      expect(found('10.0.0.8', addresses.join(','))).toBe('10.0.0.8')
      // The proxy itself adds the last one, so nothing before it counts.
      if (behind !== '10.0.0.7') expect(found('10.0.0.7', [...addresses, behind].join(','))).toBe(behind)
    }),
  )
})

test.each([
  ['10.0.0.7', '10.0.0.7/32'],
  ['::1', '::1/128'],
  ['10.0.0.0/8', '10.0.0.0/8'],
  ['0.0.0.0/0', undefined],
  ['::/0', undefined],
  ['0.0.0.0/00', undefined],
  ['10.0.0.0/33', undefined],
  ['proxy.example.com', undefined],
  ['', undefined],
])('the caller %s has the network %s', (written, network) => {
  expect(proxyNetwork(written)).toBe(network)
})

describe('a gateway behind a proxy', () => {
  let site: RunningGateway
  beforeAll(async () => {
    const listen = 'trusted-proxies: [127.0.0.1]'
    site = await RunningGateway.start({}, { listen, limits: '{ failed-sign-ins: 2 }' })
  })
  afterAll(() => site[Symbol.asyncDispose]())

  /** The status line of the answer to a request that the proxy hands on. */
  async function asked(caller: string, token: string, path = '/api/userinfo'): Promise<string> {
    const { hostname, port } = new URL(site.gateway.http)
    const socket = connect(Number(port), hostname)
    await once(socket, 'connect')
    socket.end(
      `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Forwarded-For: ${caller}\r\nAuthorization: Bearer ${token}\r\n\r\n`,
    )
    return (await text(socket)).slice('HTTP/1.1 '.length, 12)
  }

  it('counts failed sign-ins by caller, over REST, gRPC and in requests that no route gets', async () => {
    const [guesser, neighbour] = ['192.0.2.66', '192.0.2.67']
    expect(await asked(guesser, 'wrong', '/%zz')).toBe('401')
    await using stream = new ScriptedClient(site.gateway.grpc, {
      ...{ authorization: 'Bearer wrong', 'connection-name': 'bash', verb: 'exec' },
      'x-forwarded-for': guesser,
    })
    await waitFor(() => stream.status !== undefined)
    expect(await asked(guesser, userToken)).toBe('429')
    expect(await asked(guesser, userToken, '/%zz')).toBe('429')
    expect(await asked(neighbour, userToken)).toBe('200')
    expect(await asked(`${guesser}, ${neighbour}`, userToken)).toBe('200')
    const { body } = await site.request('GET', '/api/audit/logs?action=sign-in')
    const addresses = (body['data'] as { client_ip: string }[]).map(({ client_ip: address }) => address)
    expect(addresses).toContain(guesser)
    expect(addresses).not.toContain('127.0.0.1')
  })

  it('goes by the last header line, whatever its spelling, on sockets and offers of HTTP/2, too', async () => {
    const [guesser, neighbour] = ['192.0.2.70', '192.0.2.71']
    for (let guess = 0; guess < 2; guess++) expect(await asked(guesser, 'wrong')).toBe('401')
    expect(await asked(`${guesser}\r\nx-forwarded-FOR: ${neighbour}`, userToken)).toBe('200')
    expect(await asked(`${neighbour}\r\nX-Forwarded-For: ${guesser}`, userToken)).toBe('429')
    expect(
      await asked(`${guesser}\r\nForwarded: for=${neighbour}\r\nX-Real-IP: ${neighbour}`, userToken),
    ).toBe('429')
    expect(await asked(`::FFFF:${guesser}`, userToken)).toBe('429')
    const offer = 'Connection: Upgrade\r\nUpgrade'
    expect(await asked(`${guesser}\r\n${offer}: h2c`, userToken)).toBe('429')
    const socket = `${offer}: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==`
    const terminal = '/api/connections/bash/terminal'
    expect(await asked(`${guesser}\r\n${socket}`, userToken, terminal)).toBe('429')
  })
})
