import { generateKeyPairSync } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SettingsError } from '../../src/basics/settings/problems.ts'
import { systemAuthorities } from '../../src/basics/net/authorities.ts'
import { loadAgentSettings, type AgentConfiguration } from '../../src/config.ts'
import { Authority, years } from '../support/network/certificates.ts'
import { Workplace } from '../support/sites/workplace.ts'

const HOOP_KEY = 'grpcs://local:xagt-Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6@gateway.test:8443'
const [first, second] = [new Authority('first'), new Authority('second')]
const issued = first.issue({ names: ['agent.test'] })

let place: Workplace
beforeEach(() => {
  place = new Workplace()
})
afterEach(() => {
  place[Symbol.dispose]()
})

function load(env: NodeJS.ProcessEnv, yaml = ''): AgentConfiguration {
  const settings = place.write('agent.yaml', yaml)
  const all = { HOOP_KEY, RUNBOOK_AGENT_CONFIG: settings, ...env }
  return loadAgentSettings({ flags: {}, env: all, stderrIsTty: false })
}

function refusal(env: NodeJS.ProcessEnv): string {
  try {
    load(env)
  } catch (error) {
    if (error instanceof SettingsError) return error.message.replaceAll(place.path, 'PLACE')
    throw error
  }
  throw new Error('the settings were taken')
}

function base64(text: string): string {
  return `base64://${Buffer.from(text).toString('base64')}`
}

describe('authorities of the user', () => {
  const both = `${first.certificate}some text\n${second.certificate}`

  it('are taken as text, as base64 and from a file', () => {
    const file = `file://${place.write('ca.pem', both)}`
    for (const HOOP_TLSCA of [both, base64(both), file])
      expect(load({ HOOP_TLSCA }).tls.authorities).toEqual([first.certificate, second.certificate])
  })

  it('named in the settings file lie beside it', () => {
    place.write('ca.pem', both)
    expect(load({}, 'tls.ca: file://ca.pem').tls.authorities).toHaveLength(2)
  })

  it.each([
    ['certificate', 'the text contains no certificate (-----BEGIN CERTIFICATE-----)'],
    ['file:///nonexistent/ca.pem', 'the file /nonexistent/ca.pem does not exist'],
    ['base64://###', 'the value after base64:// is not base64'],
    [base64('abc'), 'the text contains no certificate (-----BEGIN CERTIFICATE-----)'],
    [
      `${first.certificate}-----BEGIN CERTIFICATE-----\nabcd\n-----END CERTIFICATE-----`,
      'certificate 2 of 2 is broken',
    ],
  ])('%j are refused, with what is wrong', (HOOP_TLSCA, reason) => {
    expect(refusal({ HOOP_TLSCA })).toBe(`HOOP_TLSCA: failed to append root CA into cert pool: ${reason}`)
  })
})

describe('a certificate of the agent', () => {
  const cert = { RUNBOOK_AGENT_TLS_CERT: issued.certificate }

  it('is taken with its key, which is not shown', () => {
    const { tls, warnings } = load({ ...cert, RUNBOOK_AGENT_TLS_KEY: issued.key })
    expect(tls.client?.certificate).toBe(issued.certificate)
    expect(tls.client?.key.reveal()).toBe(issued.key)
    expect(JSON.stringify(tls)).not.toContain('PRIVATE')
    expect(warnings.filter((warning) => warning.includes('TLS'))).toEqual([])
  })

  it('that has ended is warned of', () => {
    const old = first.issue({ names: ['agent.test'], validFrom: years(-2), validTo: years(-1) })
    const { warnings } = load({ RUNBOOK_AGENT_TLS_CERT: old.certificate, RUNBOOK_AGENT_TLS_KEY: old.key })
    expect(warnings).toContainEqual(
      expect.stringMatching(/^RUNBOOK_AGENT_TLS_CERT: the certificate in tls\.cert has expired on /),
    )
  })

  const encrypted = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'word' },
  }).privateKey

  it.each([
    [cert, 'RUNBOOK_AGENT_TLS_CERT: tls.cert and tls.key are needed together: set tls.key as well'],
    [
      { RUNBOOK_AGENT_TLS_KEY: issued.key },
      'RUNBOOK_AGENT_TLS_KEY: tls.cert and tls.key are needed together: set tls.cert as well',
    ],
    [
      { ...cert, RUNBOOK_AGENT_TLS_KEY: issued.certificate },
      'RUNBOOK_AGENT_TLS_KEY: the text contains no private key (-----BEGIN PRIVATE KEY-----)',
    ],
    [
      { ...cert, RUNBOOK_AGENT_TLS_KEY: encrypted },
      'RUNBOOK_AGENT_TLS_KEY: the private key needs a passphrase: use a key without a passphrase',
    ],
    [
      { ...cert, RUNBOOK_AGENT_TLS_KEY: first.issue({ names: ['other.test'] }).key },
      'RUNBOOK_AGENT_TLS_KEY: this is not the key of the first certificate in tls.cert (RUNBOOK_AGENT_TLS_CERT)',
    ],
  ])('that does not do is refused (%#)', (env, message) => {
    expect(refusal(env)).toBe(message)
  })
})

it("the name and the leave to skip the check come from hoop's variables; the latter is warned of", () => {
  const { tls, warnings } = load({ HOOP_TLSSERVERNAME: 'gateway.test', HOOP_TLS_SKIP_VERIFY: 'true' })
  expect(tls).toMatchObject({ serverName: 'gateway.test', skipVerify: true })
  expect(warnings).toContain(
    'HOOP_TLS_SKIP_VERIFY: an attacker on the network can impersonate the gateway: prefer tls.ca',
  )
})

describe("the system's authorities", () => {
  it("are those of SSL_CERT_FILE, with Node's own and those of NODE_EXTRA_CA_CERTS, each once", () => {
    const SSL_CERT_FILE = place.write('bundle.pem', first.certificate + second.certificate)
    const NODE_EXTRA_CA_CERTS = place.write('extra.pem', second.certificate.replaceAll('\n', '\r\n'))
    const own = systemAuthorities({ SSL_CERT_FILE: place.write('empty.pem', '') })
    const all = systemAuthorities({ SSL_CERT_FILE, NODE_EXTRA_CA_CERTS })
    expect(own.length).toBeGreaterThan(50)
    expect(all).toHaveLength(own.length + 2)
    expect(all).toContain(first.certificate.trimEnd())
  })

  it("are at least Node's own", () => {
    expect(systemAuthorities({}).length).toBeGreaterThan(50)
  })

  it('that are named and cannot be read are left out, with a warning', () => {
    const { warnings } = load({ SSL_CERT_FILE: '/nonexistent/bundle.pem' })
    expect(warnings).toContain('SSL_CERT_FILE: the file /nonexistent/bundle.pem does not exist')
    expect(systemAuthorities({ SSL_CERT_FILE: '/nonexistent/bundle.pem' }).length).toBeGreaterThan(50)
  })
})
