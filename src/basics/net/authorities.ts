import type { KeyObject, X509Certificate } from 'node:crypto'
import { decodeUtf8, FileRefused, readSmallFile } from '../files/small-file.ts'
import { SetUpError } from '../set-up-error.ts'

/** Maximum size of a file of certificates. A distribution's bundle of authorities has 220 KB. */
const LONGEST_FILE = 4 * 1024 * 1024

/** Reads `file://PATH`, `base64://TEXT` or PEM itself (protocol.md 2.2). @throws SetUpError */
export function pemText(value: string, resolve: (path: string) => string): string {
  if (value.startsWith('base64://')) return decodeBase64(value.slice('base64://'.length))
  if (!value.startsWith('file://')) return value
  const path = resolve(value.slice('file://'.length))
  try {
    return decodeUtf8(readSmallFile(path, LONGEST_FILE).bytes)
  } catch (error) {
    throw error instanceof FileRefused ? new SetUpError(`the file ${path} ${error.message}`) : error
  }
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g

/** Ignores other content of the text. @throws SetUpError for a broken certificate, or for none */
export function certificatesIn(text: string): X509Certificate[] {
  const blocks = text.match(CERTIFICATE) ?? []
  if (blocks.length === 0)
    throw new SetUpError('the text contains no certificate (-----BEGIN CERTIFICATE-----)')
  const { X509Certificate: Certificate } = process.getBuiltinModule('node:crypto')
  return blocks.map((block, i) => {
    try {
      return new Certificate(block)
    } catch {
      throw new SetUpError(`certificate ${i + 1} of ${blocks.length} is broken`)
    }
  })
}

/** @throws SetUpError */
export function privateKeyIn(text: string): KeyObject {
  try {
    return process.getBuiltinModule('node:crypto').createPrivateKey(text)
  } catch {
    throw new SetUpError(
      text.includes('ENCRYPTED')
        ? 'the private key needs a passphrase: use a key without a passphrase'
        : 'the text contains no private key (-----BEGIN PRIVATE KEY-----)',
    )
  }
}

function decodeBase64(text: string): string {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) throw new SetUpError('the value after base64:// is not base64')
  return Buffer.from(text, 'base64').toString('latin1')
}

/** Authorities of Debian, Fedora, SUSE, Alpine and macOS. */
const BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
]

/**
 * Returns the authorities that programs of this system trust: $SSL_CERT_FILE or otherwise the distribution's
 * bundle, those of NODE_EXTRA_CA_CERTS (which Node adds only to its own list), and Node's own. Leaves out
 * files that cannot be read.
 */
export function systemAuthorities(env: NodeJS.ProcessEnv): string[] {
  const { SSL_CERT_FILE, NODE_EXTRA_CA_CERTS } = env
  const texts = [
    SSL_CERT_FILE ? read(SSL_CERT_FILE) : firstBundle(),
    NODE_EXTRA_CA_CERTS ? read(NODE_EXTRA_CA_CERTS) : '',
  ]
  const given = texts.flatMap((text) => (typeof text === 'string' ? (text.match(CERTIFICATE) ?? []) : []))
  // Loaded only here: without TLS no other code needs this module, and loading takes as long as a short
  // command.
  const { rootCertificates } = process.getBuiltinModule('node:tls')
  return distinct([...rootCertificates, ...given])
}

/** Returns a sentence for each unreadable file that one of these variables names. */
export function unreadableAuthorities(env: NodeJS.ProcessEnv): string[] {
  return ['SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS'].flatMap((variable) => {
    const path = env[variable]
    const text = path ? read(path) : ''
    return typeof text === 'string' ? [] : [`${variable}: the file ${String(path)} ${text.message}`]
  })
}

function firstBundle(): string {
  for (const path of BUNDLES) {
    const text = read(path)
    if (typeof text === 'string') return text
  }
  return ''
}

function read(path: string): string | FileRefused {
  try {
    return decodeUtf8(readSmallFile(path, LONGEST_FILE).bytes)
  } catch (error) {
    if (error instanceof FileRefused) return error
    throw error
  }
}

/** Most of Node's authorities are in a bundle as well, with other line breaks. */
function distinct(certificates: readonly string[]): string[] {
  return [...new Map(certificates.map((pem) => [pem.replace(/\s/g, ''), pem])).values()]
}
