import type { KeyObject, X509Certificate } from 'node:crypto'
import { decodeUtf8, FileRefused, readSmallFile } from '../files/small-file.ts'
import { SetUpError } from '../set-up-error.ts'

/** Maximum size of a file of certificates. A distribution's bundle of authorities has 220 KB. */
const MAX_FILE_BYTES = 4 * 1024 * 1024

/** Reads `file://PATH`, `base64://TEXT` or PEM itself (protocol.md 2.2). @throws SetUpError */
export function pemText(value: string, resolve: (path: string) => string): string {
  if (value.startsWith('base64://')) return decodeBase64(value.slice('base64://'.length))
  if (!value.startsWith('file://')) return value
  const path = resolve(value.slice('file://'.length))
  try {
    return decodeUtf8(readSmallFile(path, MAX_FILE_BYTES).bytes)
  } catch (error) {
    throw error instanceof FileRefused ? new SetUpError(`the file ${path} ${error.message}`) : error
  }
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g

/**
 * Reads the certificates in the text and ignores its other content.
 * @throws SetUpError if a certificate is broken, or if the text has no certificate
 */
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

/** The files in which Debian, Fedora, SUSE, Alpine and macOS keep their authorities. */
const BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
]

/**
 * Returns the authorities that programs of this system trust: those of $SSL_CERT_FILE (or, if it is not set,
 * of the distribution's bundle), those of NODE_EXTRA_CA_CERTS, and Node's own. Node adds NODE_EXTRA_CA_CERTS
 * only to its own list. Files that cannot be read are left out.
 */
export function systemAuthorities(env: NodeJS.ProcessEnv): string[] {
  const { SSL_CERT_FILE, NODE_EXTRA_CA_CERTS } = env
  const texts = [
    SSL_CERT_FILE ? read(SSL_CERT_FILE) : firstBundle(),
    NODE_EXTRA_CA_CERTS ? read(NODE_EXTRA_CA_CERTS) : '',
  ]
  const given = texts.flatMap((text) => (typeof text === 'string' ? (text.match(CERTIFICATE) ?? []) : []))
  // This module is loaded only here, because loading it takes as long as a short command. Without TLS no
  // other code needs it.
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
    return decodeUtf8(readSmallFile(path, MAX_FILE_BYTES).bytes)
  } catch (error) {
    if (error instanceof FileRefused) return error
    throw error
  }
}

/** Removes duplicates. Most of Node's authorities are also in the bundle, but with other line breaks. */
function distinct(certificates: readonly string[]): string[] {
  return [...new Map(certificates.map((pem) => [pem.replace(/\s/g, ''), pem])).values()]
}
