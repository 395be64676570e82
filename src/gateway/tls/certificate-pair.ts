import type { SecureContextOptions } from 'node:tls'
import { decodeUtf8, FileRefused, readSmallFile } from '../../basics/files/small-file.ts'
import { certificatesIn, PemError, privateKeyIn } from '../../basics/net/authorities.ts'
import { Secret } from '../../basics/secret.ts'

/** Absolute paths of files in PEM. The certificate comes first in its file, with those that sign it behind it. */
export interface CertificateFiles {
  readonly certificate: string
  readonly key: string
  /** Who signs the certificates of agents. Undefined: they need none. */
  readonly agentCa?: string
}

export interface CertificatePair {
  readonly certificate: string
  readonly key: Secret
  /** PEM. */
  readonly agentCa?: string
  /** When the certificate ends, in ms since 1970. */
  readonly endsAt: number
}

const LONGEST_FILE = 1024 * 1024

/** The oldest version of TLS that is served. */
export const MIN_VERSION = 'TLSv1.2'

/** Reads the files, and checks that a server can use them. @throws PemError that names the file */
export function readPair(files: CertificateFiles): CertificatePair {
  const certificate = textOf(files.certificate)
  const [own] = reading(files.certificate, () => certificatesIn(certificate))
  const key = textOf(files.key)
  const isOwn = own?.checkPrivateKey(reading(files.key, () => privateKeyIn(key))) === true
  if (own === undefined || !isOwn)
    throw new PemError(`${files.key} is not the key of the first certificate in ${files.certificate}`)
  checkUsable(files.certificate, { cert: certificate, key, minVersion: MIN_VERSION })
  const endsAt = Date.parse(own.validTo)
  return { certificate, key: new Secret(key), endsAt, ...agentAuthorities(files) }
}

function agentAuthorities({ agentCa: file }: CertificateFiles): Pick<CertificatePair, 'agentCa'> {
  if (file === undefined) return {}
  const agentCa = textOf(file)
  reading(file, () => certificatesIn(agentCa))
  checkUsable(file, { ca: agentCa })
  return { agentCa }
}

/** OpenSSL refuses more than X.509 does: short keys, old hashes. */
function checkUsable(file: string, tls: SecureContextOptions): void {
  const { createSecureContext } = process.getBuiltinModule('node:tls')
  try {
    createSecureContext(tls)
  } catch (error) {
    const reason = (error as Error).message.replace(/^.*::/, '')
    throw new PemError(`${file}${tls.key === undefined ? '' : ' with its key'}: TLS cannot use it, ${reason}`)
  }
}

function textOf(file: string): string {
  try {
    return decodeUtf8(readSmallFile(file, LONGEST_FILE).bytes)
  } catch (error) {
    throw error instanceof FileRefused ? new PemError(`the file ${file} ${error.message}`) : error
  }
}

function reading<T>(file: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw error instanceof PemError ? new PemError(`${file}: ${error.message}`) : error
  }
}
