import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { hostOf, portOf, serverAddress } from '../../../src/dial/address.ts'
import { parseKey, tokenIdentity } from '../../../src/agent/connection/identity.ts'
import { Secret } from '../../../src/basics/secret.ts'

describe('a key', () => {
  it('is taken apart, and is as a whole the token', () => {
    const key = 'grpcs://name:xagt-secret@gateway.example.test:8443?mode=standard'
    const tls = { serverName: 'other.test' }
    const { token, ...rest } = parseKey(key, 'HOOP_KEY', tls)
    expect(rest).toEqual({
      address: 'gateway.example.test:8443',
      host: 'gateway.example.test',
      tls,
      name: 'name',
      embedded: false,
    })
    expect(token.reveal()).toBe(key)
  })

  it.each([
    ['grpcs', true],
    ['https', true],
    ['wss', true],
    ['grpc', false],
    ['http', false],
    ['ws', false],
  ])('with %s:// is over TLS: %s', (scheme, isTls) => {
    expect(parseKey(`${scheme}://name:xagt-secret@h:8443`, 'HOOP_KEY').tls !== undefined).toBe(isTls)
  })

  it('may name the port that its scheme has anyway', () => {
    expect(parseKey('https://name:xagt-secret@h:443', 'HOOP_KEY').address).toBe('h:443')
  })

  it.each([
    ['grpc://name:xagt-secret@h:1?mode=embedded', 'name'],
    [`grpc://name@h:1/${'f'.repeat(64)}`, ''],
    [`http://h:1/${'f'.repeat(64)}`, ''],
  ])('%s connects when somebody waits for it', (key, name) => {
    expect(parseKey(key, 'HOOP_KEY')).toMatchObject({ embedded: true, name, address: 'h:1' })
  })

  it('never prints its secret', () => {
    const identity = parseKey('grpc://name:xagt-secret@127.0.0.1:1', 'HOOP_KEY')
    expect(`${inspect(identity)} ${JSON.stringify(identity)} ${String(identity.token)}`).not.toContain(
      'xagt-secret',
    )
  })

  it.each([
    ['xagt-secret', 'the key does not have the form'],
    ['grpc://name@h:1', 'secret key not found in dsn'],
    ['grpc://name@h:1/short', 'secret key not found in dsn'],
    ['grpcs://name:xagt-secret@h', 'the port is missing'],
    ['grpcs://name:xagt-secret@h:0', 'the port is missing'],
    ['ftp://name:xagt-secret@h:1', 'unknown scheme ftp://'],
    ['grpc://name:xagt-secret@h:1 ', 'a space, a line break'],
  ])('%s is refused, naming the setting and not the secret', (key, reason) => {
    expect(() => parseKey(key, 'HOOP_KEY')).toThrow(
      expect.objectContaining({
        message: expect.stringMatching(/^HOOP_KEY is in wrong format, reason=/) as string,
      }),
    )
    expect(() => parseKey(key, 'HOOP_KEY')).toThrow(reason)
    expect(() => parseKey(key, 'HOOP_KEY')).not.toThrow('xagt-secret')
  })
})

describe('a token', () => {
  const token = new Secret('a.b.c')

  it('goes to the address beside it, with or without a scheme', () => {
    for (const gateway of ['gateway.test:8443', 'grpcs://gateway.test:8443', 'grpc://gateway.test:8443/']) {
      expect(tokenIdentity({ token, gateway, name: 'n', tls: {} }, 'HOOP_GRPCURL')).toEqual({
        ...{ address: 'gateway.test:8443', host: 'gateway.test', name: 'n', tls: {}, token, embedded: false },
      })
    }
  })

  it.each(['gateway.test', 'grpcs://gateway.test', ':8443', ''])('to %j is refused', (gateway) => {
    expect(() => tokenIdentity({ token, gateway, name: '', tls: {} }, 'HOOP_GRPCURL')).toThrow(
      'HOOP_GRPCURL is in wrong format, reason=server address is in wrong format: host:port',
    )
  })
})

it.each([
  ['h:1', 'h:1', 'h', 1],
  ['[::1]:8010', '[::1]:8010', '::1', 8010],
  ['grpcs://user:p%40ss@h.test:65535/path?x=1', 'h.test:65535', 'h.test', 65_535],
  ['h:65536', undefined, '', 0],
  ['::1:8010', undefined, '', 0],
])('the address of %s is %s', (text, address, host, port) => {
  expect(serverAddress(text)).toBe(address)
  if (address !== undefined) expect([hostOf(address), portOf(address)]).toEqual([host, port])
})
