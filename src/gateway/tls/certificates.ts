import type { X509Certificate } from 'node:crypto'
import type { SecureContextOptions } from 'node:tls'
import { decodeUtf8, FileRefused, readSmallFile } from '../../basics/files/small-file.ts'
import type { Logger } from '../../basics/logger.ts'
import { certificatesIn, privateKeyIn } from '../../basics/net/authorities.ts'
import { Secret } from '../../basics/secret.ts'
import { SetUpError } from '../../basics/set-up-error.ts'

/** Interval between two reads of the files. They are always read, because a link may point to a new file. */
const LOOK_MS = 5000
/** Warnings begin this long before the certificate expires, so that operators can renew it in time. */
export const WARN_MS = 14 * 24 * 60 * 60 * 1000

interface ServerTls {
  readonly cert: string
  readonly key: string
  readonly minVersion: typeof MIN_VERSION
}

/** Reads the files again when they change. If the new pair cannot be used, the old pair stays in use. */
export class ServerCertificate {
  readonly #files: () => CertificateFiles
  readonly #log: Logger
  readonly #users: ((tls: ServerTls) => void)[] = []
  readonly #timer: NodeJS.Timeout
  #pair: CertificatePair
  #fault: string | undefined

  /** @throws SetUpError */
  constructor(files: () => CertificateFiles, log: Logger) {
    this.#files = files
    this.#log = log
    this.#pair = readPair(files())
    this.#timer = setInterval(() => this.renew(), LOOK_MS)
  }

  get tls(): ServerTls {
    const { certificate, key } = this.#pair
    return { cert: certificate, key: key.reveal(), minVersion: MIN_VERSION }
  }

  /** Certificates in PEM. Undefined if agents need no certificate. Only a restart can change that need. */
  get agentCa(): string | undefined {
    return this.#pair.agentCa
  }

  /** Time at which the certificate expires, in ms since 1970. */
  get endsAt(): number {
    return this.#pair.endsAt
  }

  /** Tells whether the certificate is for this name. */
  isFor(name: string): boolean {
    return this.#pair.own.checkHost(name) !== undefined
  }

  /** Text for operators. Undefined if all is well. */
  get warning(): string | undefined {
    if (this.#fault !== undefined)
      return `cannot use the new certificate, so the old certificate stays in use: ${this.#fault}`
    const { endsAt } = this.#pair
    const isNear = endsAt - Date.now() < WARN_MS
    return isNear ? `the certificate of listen.tls expires at ${new Date(endsAt).toISOString()}` : undefined
  }

  /** Calls `use` each time the certificate changes. Open connections keep the old certificate. */
  follow(use: (tls: ServerTls) => void): void {
    this.#users.push(use)
  }

  renew(): void {
    try {
      const pair = readPair(this.#files())
      this.#fault = undefined
      if (isSamePair(pair, this.#pair)) return
      this.#pair = pair
      for (const use of this.#users) use(this.tls)
      this.#log.info({ endsAt: new Date(pair.endsAt).toISOString() }, 'certificate renewed')
    } catch (error) {
      if (!(error instanceof SetUpError)) throw error
      if (this.#fault !== error.message)
        this.#log.error(
          { reason: error.message },
          'cannot use the new certificate, so the old certificate stays in use',
        )
      this.#fault = error.message
    }
  }

  close(): void {
    clearInterval(this.#timer)
  }
}

function isSamePair(one: CertificatePair, other: CertificatePair): boolean {
  const isSameKey = one.key.reveal() === other.key.reveal()
  return isSameKey && one.certificate === other.certificate && one.agentCa === other.agentCa
}

/**
 * Absolute paths of files in PEM. In `certificate`, the server's certificate is first. The certificates that
 * sign it come after it.
 */
export interface CertificateFiles {
  readonly certificate: string
  readonly key: string
  /** Authorities that sign the certificates of agents. Undefined if agents need no certificate. */
  readonly agentCa?: string
}

interface CertificatePair {
  readonly certificate: string
  readonly key: Secret
  /** PEM. */
  readonly agentCa?: string
  /** The server's own certificate. */
  readonly own: X509Certificate
  /** Time at which the certificate expires, in ms since 1970. */
  readonly endsAt: number
}

const MAX_FILE_BYTES = 1024 * 1024

const MIN_VERSION = 'TLSv1.2'

/** Checks that a server can use the files. @throws SetUpError that names the file */
export function readPair(files: CertificateFiles): CertificatePair {
  const certificate = readCertificateFile(files.certificate)
  const [own] = reading(files.certificate, () => certificatesIn(certificate))
  const key = readCertificateFile(files.key)
  const isOwn = own?.checkPrivateKey(reading(files.key, () => privateKeyIn(key))) === true
  if (own === undefined || !isOwn)
    throw new SetUpError(`${files.key} is not the key of the first certificate in ${files.certificate}`)
  checkUsable(files.certificate, { cert: certificate, key, minVersion: MIN_VERSION })
  const endsAt = Date.parse(own.validTo)
  return { certificate, key: new Secret(key), own, endsAt, ...agentAuthorities(files) }
}

function agentAuthorities({ agentCa: file }: CertificateFiles): Pick<CertificatePair, 'agentCa'> {
  if (file === undefined) return {}
  const agentCa = readCertificateFile(file)
  reading(file, () => certificatesIn(agentCa))
  checkUsable(file, { ca: agentCa })
  return { agentCa }
}

/** Lets OpenSSL load the files, because OpenSSL also refuses short keys and old hashes. */
function checkUsable(file: string, tls: SecureContextOptions): void {
  const { createSecureContext } = process.getBuiltinModule('node:tls')
  try {
    createSecureContext(tls)
  } catch (error) {
    const reason = (error as Error).message.replace(/^.*::/, '')
    throw new SetUpError(`TLS cannot use ${file}${tls.key === undefined ? '' : ' with its key'}: ${reason}`)
  }
}

function readCertificateFile(file: string): string {
  try {
    return decodeUtf8(readSmallFile(file, MAX_FILE_BYTES).bytes)
  } catch (error) {
    throw error instanceof FileRefused ? new SetUpError(`the file ${file} ${error.message}`) : error
  }
}

function reading<T>(file: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw error instanceof SetUpError ? new SetUpError(`${file}: ${error.message}`) : error
  }
}
