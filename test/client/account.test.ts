import { chmodSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { SetUpError } from '../../src/basics/set-up-error.ts'
import {
  accountPath,
  readAccountFile,
  removeAccountFile,
  writeAccountFile,
  type StoredAccount,
  currentProfile,
  isProfileName,
  keepCurrentProfile,
  profileFile,
  profileNames,
} from '../../src/client/account/account-file.ts'
import { findAccount } from '../../src/client/account/account.ts'
import { readAccount } from '../../src/commands/client/asking/account.ts'
import { Authority } from '../support/network/certificates.ts'
import { Workplace } from '../support/sites/workplace.ts'

const stored: StoredAccount = {
  api_url: 'https://gateway.test',
  grpc_url: 'grpcs://streams.test:8443',
  token: 'stored-token',
}
const FILE = '/home/x/account.json'

describe('the account', () => {
  it('is the stored one, with nothing in the environment', () => {
    const account = find({}, stored)
    expect([account.rest.url, account.token.reveal(), account.grpcUrl]).toEqual([
      'https://gateway.test',
      'stored-token',
      'grpcs://streams.test:8443',
    ])
  })

  it('is the environment alone where nobody has signed in, and empty variables are none', () => {
    const env = { HOOP_APIURL: 'http://127.0.0.1:8009', HOOP_TOKEN: 'of-the-environment', HOOP_GRPCURL: '' }
    const account = find(env, undefined)
    expect([account.rest.url, account.token.reveal(), account.grpcUrl, account.tls]).toEqual([
      ...['http://127.0.0.1:8009', 'of-the-environment', undefined, undefined],
    ])
  })

  it('lets each variable win over the stored value', () => {
    expect(find({ HOOP_TOKEN: 'other' }, stored)).toMatchObject({ grpcUrl: stored.grpc_url })
    expect(find({ HOOP_TOKEN: 'other' }, stored).token.reveal()).toBe('other')
    const elsewhere = find({ HOOP_TOKEN: 'other', HOOP_APIURL: 'https://other.test' }, stored)
    expect([elsewhere.rest.url, elsewhere.grpcUrl]).toEqual(['https://other.test', undefined])
    expect(find({ HOOP_GRPCURL: 'gateway.test:1' }, stored).grpcUrl).toBe('gateway.test:1')
  })

  it.each([{ HOOP_APIURL: 'https://other.test' }, { HOOP_GRPCURL: 'grpcs://other.test:8443' }])(
    'does not send a stored token to another gateway that a variable names: %j',
    (env) => {
      expect(() => find(env, stored)).toThrow(/does not name the gateway .*set HOOP_TOKEN as well$/)
    },
  )

  it('says how to sign in where nobody has', () => {
    expect(() => find({}, undefined)).toThrow(
      /^not signed in\. Run runbook-agent login --api-url https:\/\/GATEWAY, or set HOOP_APIURL and HOOP_TOKEN$/,
    )
    expect(() => find({ HOOP_APIURL: 'https://a.test' }, undefined)).toThrow(
      /HOOP_TOKEN is not: set HOOP_TOKEN/,
    )
  })

  it.each(['gateway.test', 'ftp://gateway.test', 'https://user:secret@gateway.test', 'https://'])(
    'takes no address like %s, without showing it',
    (HOOP_APIURL) => {
      const message = failure(() => find({ HOOP_APIURL, HOOP_TOKEN: 't' }, undefined))
      expect(message).toMatch(/^HOOP_APIURL: the gateway's address must have the form https:\/\/host/)
      expect(message).not.toContain('secret')
    },
  )

  it('takes an address below a path, and one with the /api of its documentation', () => {
    for (const [text, url, base] of [
      ['https://gateway.test/hoop/', 'https://gateway.test/hoop', '/hoop'],
      ['https://gateway.test:8443/api', 'https://gateway.test:8443', ''],
      ['http://[::1]:8009', 'http://[::1]:8009', ''],
    ] as const)
      expect(find({ HOOP_APIURL: text, HOOP_TOKEN: 't' }, undefined).rest).toMatchObject({ url, base })
  })

  it('refuses to send a token in the clear to another machine, unless that is allowed', () => {
    const plain = { HOOP_APIURL: 'http://gateway.test', HOOP_TOKEN: 'secret-token' }
    expect(failure(() => find(plain, undefined))).toMatch(
      /^http:\/\/gateway\.test: a token sent to gateway\.test without TLS .*allow-plaintext/,
    )
    expect(find({ ...plain, RUNBOOK_AGENT_ALLOW_PLAINTEXT: 'true' }, undefined).tls).toBeUndefined()
    expect(find({}, { ...stored, api_url: 'http://gateway.test', allow_plaintext: true }).tls).toBeUndefined()
    const secure = find({}, stored)
    expect(failure(() => secure.destination('grpc://streams.test:8010'))).toMatch(
      /sent to streams\.test without TLS/,
    )
    expect(secure.destination('grpc://127.0.0.1:8010')).toEqual({ address: '127.0.0.1:8010', tls: undefined })
  })

  it("knows streams by hoop's forms of an address", () => {
    const { destination } = find({}, stored)
    expect(destination('grpcs://a.test:8443')).toMatchObject({
      address: 'a.test:8443',
      tls: { skipVerify: false },
    })
    expect(destination('a.test:8443').tls).toBeDefined()
    expect(destination('127.0.0.1:8010').tls).toBeUndefined()
    for (const wrong of ['a.test', 'grpcs://a.test', 'ftp://a.test:1', 'grpc://t@a.test:1'])
      expect(failure(() => destination(wrong))).toMatch(/must have the form grpcs:\/\/host:port/)
  })

  it('checks the gateway against HOOP_TLSCA in each of its forms, else against the system', () => {
    using place = new Workplace()
    const { certificate } = new Authority('Ours')
    const file = place.write('ca.pem', certificate)
    for (const HOOP_TLSCA of [
      certificate,
      `file://${file}`,
      `base64://${Buffer.from(certificate).toString('base64')}`,
    ]) {
      expect(find({ HOOP_TLSCA }, stored).tls?.authorities).toHaveLength(1)
      expect(find({}, { ...stored, tls_ca: HOOP_TLSCA }).tls?.authorities).toHaveLength(1)
    }
    expect(find({}, stored).tls?.authorities?.length).toBeGreaterThan(50)
    expect(failure(() => find({ HOOP_TLSCA: 'file:///none' }, stored))).toBe(
      'HOOP_TLSCA: the file /none does not exist',
    )
  })

  it('goes by the proxy of the environment, but not to what NO_PROXY names', () => {
    const { proxyTo } = find({ HTTPS_PROXY: 'http://proxy.test:3128', NO_PROXY: 'inside.test' }, stored)
    expect(proxyTo('gateway.test:443')?.address).toBe('proxy.test:3128')
    expect(proxyTo('inside.test:443')).toBeUndefined()
    expect(failure(() => find({ HTTPS_PROXY: 'socks5://a' }, stored))).toMatch(
      /^HTTPS_PROXY: a proxy is written/,
    )
  })

  it('refuses a token that no header can hold, without showing it', () => {
    const message = failure(() => find({ HOOP_APIURL: 'https://a.test', HOOP_TOKEN: 'two words' }, undefined))
    expect(message).toBe('HOOP_TOKEN: the token is not one word of ASCII')
  })
})

describe('the file of the account', () => {
  it('lies below XDG_CONFIG_HOME, if that is a whole path, else below the home', () => {
    expect(accountPath({ XDG_CONFIG_HOME: '/etc/x' }, '/home/u')).toBe('/etc/x/runbook-agent/account.json')
    for (const XDG_CONFIG_HOME of [undefined, '', 'relative'])
      expect(accountPath({ XDG_CONFIG_HOME }, '/home/u')).toBe('/home/u/.config/runbook-agent/account.json')
  })

  it('holds what was written, for its user alone', () => {
    using place = new Workplace()
    const file = place.at('config', 'runbook-agent', 'account.json')
    const whole = {
      ...stored,
      allow_plaintext: true,
      tls_ca: 'pem',
      tls_server_name: 'n',
      tls_skip_verify: true,
    }
    writeAccountFile(file, { ...stored, token: 'older' })
    writeAccountFile(file, whole)
    expect(readAccountFile(file)).toEqual(whole)
    expect([mode(file), mode(path.dirname(file))]).toEqual([0o600, 0o700])
    expect(removeAccountFile(file)).toBe(true)
    expect([removeAccountFile(file), readAccountFile(file)]).toEqual([false, undefined])
  })

  it('is refused when others may read it, when it is a link, and when it is something else', () => {
    using place = new Workplace()
    const file = place.write('account.json', '{"api_url": "https://a.test", "token": "the-secret"}')
    for (const mode of [0o640, 0o604, 0o620]) {
      chmodSync(file, mode)
      expect(failure(() => readAccountFile(file))).toMatch(
        /can be read by others \(mode 6[24]?0?4?0?\).*chmod 600/,
      )
    }
    symlinkSync(file, place.at('link'))
    expect(failure(() => readAccountFile(place.at('link')))).toMatch(/is not a regular file/)
    mkdirSync(place.at('folder'))
    expect(failure(() => readAccountFile(place.at('folder')))).toMatch(/is not a regular file/)
    for (const content of ['', '[]', '{"token": "the-secret"', '{"token": "the-secret"}'])
      expect(failure(() => readAccountFile(place.write('broken', content)))).toMatch(
        /was not written by login/,
      )
    expect(readFileSync(file, 'utf8')).toContain('the-secret')
  })

  it.skipIf(process.geteuid?.() !== 0)('is refused when it belongs to another user', async () => {
    using place = new Workplace()
    const file = place.write('account.json', '{"api_url": "https://a.test", "token": "t"}')
    const { chownSync } = await import('node:fs')
    chownSync(file, 1, 1)
    expect(failure(() => readAccountFile(file))).toMatch(/belongs to another user/)
  })

  it('is looked for by every command, which exit with 78 where there is none', () => {
    using place = new Workplace()
    vi.stubEnv('XDG_CONFIG_HOME', place.path)
    try {
      expect(() => readAccount()).toThrow(expect.objectContaining({ exitCode: 78 }))
    } finally {
      vi.unstubAllEnvs()
    }
  })
})

function find(env: NodeJS.ProcessEnv, of: StoredAccount | undefined): ReturnType<typeof findAccount> {
  return findAccount({ env, stored: of, file: FILE })
}

function mode(file: string): number {
  return statSync(file).mode & 0o777
}

/** The message of an SetUpError, which never holds a token. */
function failure(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    if (!(error instanceof SetUpError)) throw error
    expect(error.message).not.toMatch(/the-secret|secret-token|stored-token/)
    return error.message
  }
  throw new Error('nothing was refused')
}

const account = (name: string) => ({ api_url: `https://${name}.test`, token: 't' })

describe('profiles', () => {
  it('have a file each beside that of the default, which is the one of before', () => {
    using place = new Workplace()
    const file = place.at('settings', 'account.json')
    expect([profileNames(file), currentProfile(file)]).toEqual([[], 'default'])
    for (const name of ['staging', 'default', 'prod'])
      writeAccountFile(profileFile(file, name), account(name))
    expect(profileNames(file)).toEqual(['default', 'prod', 'staging'])
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(account('default'))
    expect(statSync(profileFile(file, 'prod')).mode & 0o777).toBe(0o600)
  })

  it('are chosen by a file of their own, and the default by none', () => {
    using place = new Workplace()
    const file = place.at('settings', 'account.json')
    keepCurrentProfile(file, 'prod')
    expect(currentProfile(file)).toBe('prod')
    keepCurrentProfile(file, 'default')
    keepCurrentProfile(file, 'default')
    expect(currentProfile(file)).toBe('default')
    writeFileSync(place.at('settings', 'current-profile'), '../evil\n')
    expect(() => currentProfile(file)).toThrow(
      /current-profile was not written by runbook-agent use\. .* use default$/,
    )
  })

  it.each(['', '.', '..', '../x', 'a/b', '-x', 'a b', 'a\n', 'ä', 'x'.repeat(65)])(
    'cannot be called %j',
    (name) => expect(isProfileName(name)).toBe(false),
  )
})
