import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { parseKey } from '../../src/agent/identity.ts'

describe('a key', () => {
  it('is taken apart, and is as a whole the token', () => {
    const key = 'grpcs://name:xagt-secret@gateway.example.test:8443?mode=standard'
    const { token, ...rest } = parseKey(key, 'HOOP_KEY')
    expect(rest).toEqual({
      address: 'gateway.example.test:8443',
      host: 'gateway.example.test',
      tls: true,
      name: 'name',
    })
    expect(token.reveal()).toBe(key)
  })

  it('never prints its secret', () => {
    const identity = parseKey('grpc://name:xagt-secret@127.0.0.1:1', 'HOOP_KEY')
    expect(`${inspect(identity)} ${JSON.stringify(identity)} ${String(identity.token)}`).not.toContain(
      'xagt-secret',
    )
  })

  it.each([
    ['xagt-secret', 'it is not of the form'],
    ['grpc://name@h:1', 'secret key not found in dsn'],
    ['grpcs://name:xagt-secret@h', 'the port is missing'],
    ['ftp://name:xagt-secret@h:1', 'unknown scheme ftp://'],
    ['grpc://name:xagt-secret@h:1?mode=embedded', 'mode=embedded'],
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
