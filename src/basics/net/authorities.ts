import { CERTIFICATE } from './pem.ts'
import { decodeUtf8, FileRefused, readSmallFile } from '../files/small-file.ts'

/** Where Debian, Fedora, SUSE, Alpine and macOS keep the authorities that their users trust. */
const BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
]

/** A bundle has 220 KB. */
const LONGEST_BUNDLE = 4 * 1024 * 1024

/**
 * The authorities that programs of this system trust, as PEM: $SSL_CERT_FILE or else the distribution's bundle, and
 * Node's own with those of NODE_EXTRA_CA_CERTS (which Node adds only to its own). What cannot be read is left out.
 */
export function systemAuthorities(env: NodeJS.ProcessEnv): string[] {
  const { SSL_CERT_FILE, NODE_EXTRA_CA_CERTS } = env
  const texts = [
    SSL_CERT_FILE ? read(SSL_CERT_FILE) : firstBundle(),
    NODE_EXTRA_CA_CERTS ? read(NODE_EXTRA_CA_CERTS) : '',
  ]
  const given = texts.flatMap((text) => (typeof text === 'string' ? (text.match(CERTIFICATE) ?? []) : []))
  // Loaded here: without TLS nothing else needs the module, which takes as long as a short command.
  const { rootCertificates } = process.getBuiltinModule('node:tls')
  return distinct([...rootCertificates, ...given])
}

/** A sentence for each file that a variable names and that cannot be read. */
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
    return decodeUtf8(readSmallFile(path, LONGEST_BUNDLE).bytes)
  } catch (error) {
    if (error instanceof FileRefused) return error
    throw error
  }
}

/** Most of Node's authorities are in a bundle as well, with other line breaks. */
function distinct(certificates: readonly string[]): string[] {
  return [...new Map(certificates.map((pem) => [pem.replace(/\s/g, ''), pem])).values()]
}
