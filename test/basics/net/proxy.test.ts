import { describe, expect, it } from 'vitest'
import { findProxy } from '../../../src/basics/net/proxy.ts'
import { SetUpError } from '../../../src/basics/set-up-error.ts'

describe('the proxy', () => {
  it.each([
    [{ HTTPS_PROXY: 'http://proxy.test:3128' }, 'proxy.test:3128', undefined],
    [{ https_proxy: 'http://proxy.test:3128' }, 'proxy.test:3128', undefined],
    [{ HTTPS_PROXY: '', https_proxy: 'proxy.test:3128' }, 'proxy.test:3128', undefined],
    [{ HTTPS_PROXY: 'http://proxy.test', https_proxy: 'http://other.test' }, 'proxy.test:80', undefined],
    [{ HTTPS_PROXY: 'http://user:p%40ss@[::1]:3128/' }, '[::1]:3128', 'user:p@ss'],
  ])('of %j is %s', (env, address, credentials) => {
    const proxy = findProxy(env)
    expect([proxy?.address, proxy?.credentials?.reveal()]).toEqual([address, credentials])
  })

  it.each([{}, { http_proxy: 'http://proxy.test:3128' }, { HTTP_PROXY: 'http://proxy.test:3128' }])(
    'of %j is none: that is for plaintext',
    (env) => {
      expect(findProxy(env)).toBeUndefined()
    },
  )

  it.each(['https://user:secret@proxy.test', 'socks5://proxy.test:1080', 'http://', 'http://a%zz@b', ':'])(
    '%s is refused, without being shown',
    (HTTPS_PROXY) => {
      expect(() => findProxy({ HTTPS_PROXY })).toThrow(
        new SetUpError('HTTPS_PROXY: a proxy is written http://host:port or http://user:password@host:port'),
      )
    },
  )

  it('is left out for what NO_PROXY names', () => {
    const env = { HTTPS_PROXY: 'proxy.test:3128', NO_PROXY: '', no_proxy: 'gateway.test' }
    const proxy = findProxy(env)
    expect([proxy?.bypassed('gateway.test', 8443), proxy?.bypassed('other.test', 8443)]).toEqual([
      true,
      false,
    ])
  })
})

describe('NO_PROXY', () => {
  it.each([
    ['', 'gateway.test', false],
    ['*', 'gateway.test', true],
    ['gateway.test', 'gateway.test', true],
    ['Gateway.Test', 'gateway.test.', true],
    ['test', 'gateway.test', true],
    ['gateway.test', 'a.gateway.test', true],
    ['gateway.test', 'mygateway.test', false],
    ['.gateway.test', 'a.gateway.test', true],
    ['.gateway.test', 'gateway.test', false],
    ['*.gateway.test', 'a.gateway.test', true],
    ['other.test, gateway.test', 'gateway.test', true],
    ['gateway.test:8443', 'gateway.test', true],
    ['gateway.test:443', 'gateway.test', false],
    ['10.1.2.3', '10.1.2.3', true],
    ['10.1.2.3:8443', '10.1.2.3', true],
    ['10.1.2.3:443', '10.1.2.3', false],
    ['10.0.0.0/8', '10.1.2.3', true],
    ['10.0.0.0/8', '11.1.2.3', false],
    ['10.0.0.0/33', '10.1.2.3', false],
    ['fd00::/8', 'fd00::1', true],
    ['fd00::1', 'fd00::1', true],
    ['[fd00::1]:8443', 'fd00::1', true],
    ['10.0.0.0/8', 'ten.test', false],
    ['', 'localhost', true],
    ['', '127.0.0.1', true],
    ['', '::1', true],
  ])('%j leaves out %s: %s', (text, host, isLeftOut) => {
    const proxy = findProxy({ HTTPS_PROXY: 'proxy.test:3128', NO_PROXY: text })
    expect(proxy?.bypassed(host, 8443)).toBe(isLeftOut)
  })
})
