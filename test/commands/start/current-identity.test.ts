import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CurrentIdentity } from '../../../src/commands/start/current.ts'
import { Failure } from '../../../src/commands/exit-codes.ts'
import { readIdentity, readSettings } from '../../../src/commands/start/settings.ts'
import { Authority } from '../../support/network/certificates.ts'
import { Workplace } from '../../support/sites/workplace.ts'

const key = (secret: string, host = '127.0.0.1:8010', scheme = 'grpc') =>
  `${scheme}://local:xagt-${secret}-0123456789@${host}?mode=standard`
const jwt = (name: string) => `${Buffer.from(name).toString('base64url')}.e30.c2ln`

let place: Workplace
beforeEach(() => {
  place = new Workplace()
})
afterEach(() => {
  place[Symbol.dispose]()
})

/** The identity that the settings file says, and what the log is told of it. */
function current(yaml: string): { readonly identity: CurrentIdentity; readonly warnings: string[] } {
  const flags = { config: place.write('agent.yaml', yaml) }
  const warnings: string[] = []
  const nothing = () => undefined
  const warn = (fields: object) => void warnings.push(JSON.stringify(fields).replaceAll(place.path, 'PLACE'))
  const log = { debug: nothing, info: nothing, warn, error: nothing }
  const settings = readSettings(flags)
  return { identity: new CurrentIdentity(flags, readIdentity(settings), settings, log), warnings }
}

function refusal(yaml: string): string {
  try {
    current(yaml)
  } catch (error) {
    if (error instanceof Failure) return error.message.replaceAll(place.path, 'PLACE')
    throw error
  }
  throw new Error('the identity was taken')
}

it('a key that is rotated on disk is taken at the next attempt', () => {
  place.write('key', key('first'))
  const { identity, warnings } = current('key-file: key')
  place.write('key', key('second', '127.0.0.1:9010'))
  expect(identity.refresh().token.reveal()).toBe(key('second', '127.0.0.1:9010'))
  expect([identity.current.address, warnings]).toEqual(['127.0.0.1:9010', []])
})

it('a credential or certificate that is renewed shows before the next attempt, a broken one does not', () => {
  place.write('key', key('first', 'gateway.test:8443', 'grpcs'))
  place.write('ca.pem', new Authority('old').certificate)
  const { identity, warnings } = current('key-file: key\ntls.ca: file://ca.pem')
  expect(identity.isRenewed()).toBe(false)
  for (const [file, content] of [
    ['key', key('second', 'gateway.test:8443', 'grpcs')],
    ['ca.pem', new Authority('next').certificate],
  ] as const) {
    place.write(file, content)
    expect(identity.isRenewed()).toBe(true)
    identity.refresh()
    expect(identity.isRenewed()).toBe(false)
  }
  place.write('key', '')
  expect([identity.isRenewed(), warnings]).toEqual([false, []])
})

it('a JWT-SVID that is renewed is taken at the next attempt', () => {
  place.write('agent.jwt', jwt('first'))
  const { identity } = current('spiffe: {key-file: agent.jwt, name: edge}\ngrpc-url: 127.0.0.1:8010')
  expect(identity.current).toMatchObject({ name: 'edge', address: '127.0.0.1:8010', tls: undefined })
  place.write('agent.jwt', `${jwt('second')}\n`)
  expect(identity.refresh().token.reveal()).toBe(jwt('second'))
})

it('an authority or a certificate that is renewed is taken at the next attempt', () => {
  const [old, next] = [new Authority('old'), new Authority('next')]
  place.write('key', key('first', 'gateway.test:8443', 'grpcs'))
  place.write('ca.pem', old.certificate)
  const { identity } = current('key-file: key\ntls.ca: file://ca.pem')
  expect(identity.current.tls?.authorities).toEqual([old.certificate])
  place.write('ca.pem', next.certificate)
  expect(identity.refresh().tls?.authorities).toEqual([next.certificate])
})

it.each([
  ['key', '', 'PLACE/agent.yaml:1:11: the key-file PLACE/key is empty: write the key into it'],
  ['key', 'nonsense', 'key-file PLACE/key is in wrong format'],
  ['key', key('second', 'gateway.test:8010'), 'a key sent to gateway.test without TLS can be read by others'],
  ['agent.yaml', 'key-file: [', 'PLACE/agent.yaml:1:12: '],
  ['agent.yaml', 'key-fil: key', 'key-fil: unknown setting, did you mean key-file?'],
])('%s with %j in it leaves the old identity, and is complained of once', (file, content, complaint) => {
  place.write('key', key('first'))
  const { identity, warnings } = current('key-file: key')
  const before = identity.current
  place.write(file, content)
  expect(identity.refresh()).toBe(before)
  expect(identity.refresh()).toBe(before)
  expect(warnings).toEqual([expect.stringContaining(complaint)])
  expect(warnings.join()).not.toContain('xagt-second')
  // Put right, and wrong again: that is news.
  place.write(file, file === 'key' ? key('third') : 'key-file: key')
  identity.refresh()
  place.write(file, content)
  identity.refresh()
  expect(warnings).toHaveLength(2)
})

describe('plaintext', () => {
  it.each([
    ['a key', `key: ${key('first', 'gateway.test:8010')}`],
    ['a token', 'token: x-agt-1\ngrpc-url: 127.0.0.1:8010'],
  ])('with %s is refused to anything but the loopback', (_, yaml) => {
    const toAnotherHost = yaml.replace('127.0.0.1:8010', 'gateway.test:8010')
    if (yaml.includes('token')) expect(current(yaml).identity.current.tls).toBeUndefined()
    else expect(refusal(toAnotherHost)).toMatch(/sent to gateway\.test without TLS can be read by others/)
    expect(current(`${toAnotherHost}\nallow-plaintext: true`).identity.current.host).toBe('gateway.test')
  })

  it('with a JWT-SVID is refused as well, though it is asked for', () => {
    place.write('agent.jwt', jwt('first'))
    const yaml = 'spiffe: {key-file: agent.jwt, insecure: true}\ngrpc-url: gateway.test:8010'
    expect(refusal(yaml)).toMatch(/sent to gateway\.test without TLS/)
    expect(current(`${yaml}\nallow-plaintext: true`).identity.current.tls).toBeUndefined()
  })
})

it('the address of a token is checked, by the name of its setting', () => {
  expect(refusal('token: x-agt-1\ngrpc-url: gateway.test')).toBe(
    'PLACE/agent.yaml:2:11 is in wrong format, reason=server address is in wrong format: host:port',
  )
})
