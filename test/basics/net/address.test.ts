import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatAddress, isLoopback, parseAddress, parseListen } from '../../../src/basics/net/address.ts'

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
