import { expect, test } from 'vitest'
import { parseAddress } from '../../../src/gateway/settings/address.ts'

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
