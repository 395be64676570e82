import type { Logger } from '../../basics/logger.ts'
import { PemError } from '../../basics/net/authorities.ts'
import { MIN_VERSION, readPair, type CertificateFiles, type CertificatePair } from './certificate-pair.ts'

/** How often the files are looked at. Links may have been turned to other files meanwhile. */
const LOOK_MS = 5000
/** Before the end of a certificate, when there is still time to renew it. */
export const WARN_MS = 14 * 24 * 60 * 60 * 1000

/** What a server with TLS is given, at its start and each time the certificate is another one. */
export interface ServerTls {
  readonly cert: string
  readonly key: string
  readonly minVersion: typeof MIN_VERSION
}

/** The certificate of the gateway. It is read again when its files change; a pair that cannot be used changes nothing. */
export class ServerCertificate {
  readonly #files: () => CertificateFiles
  readonly #log: Logger
  readonly #users: ((tls: ServerTls) => void)[] = []
  readonly #timer: NodeJS.Timeout
  #pair: CertificatePair
  #fault: string | undefined

  /** @throws PemError */
  constructor(files: () => CertificateFiles, log: Logger, lookMs = LOOK_MS) {
    this.#files = files
    this.#log = log
    this.#pair = readPair(files())
    this.#timer = setInterval(() => this.renew(), lookMs)
  }

  get tls(): ServerTls {
    const { certificate, key } = this.#pair
    return { cert: certificate, key: key.reveal(), minVersion: MIN_VERSION }
  }

  /** Who signs the certificates of agents, in PEM. Undefined: they need none, from the start to the end. */
  get agentCa(): string | undefined {
    return this.#pair.agentCa
  }

  /** In ms since 1970. */
  get endsAt(): number {
    return this.#pair.endsAt
  }

  /** What an operator should look at, if there is anything. */
  get warning(): string | undefined {
    if (this.#fault !== undefined)
      return `the new certificate cannot be used, the old one stays: ${this.#fault}`
    const { endsAt } = this.#pair
    const isNear = endsAt - Date.now() < WARN_MS
    return isNear ? `the certificate of listen.tls ends at ${new Date(endsAt).toISOString()}` : undefined
  }

  /** Calls `use` whenever there is another certificate. Connections that are open keep theirs. */
  follow(use: (tls: ServerTls) => void): void {
    this.#users.push(use)
  }

  /** Looks at the files. */
  renew(): void {
    try {
      const pair = readPair(this.#files())
      this.#fault = undefined
      if (isSamePair(pair, this.#pair)) return
      this.#pair = pair
      for (const use of this.#users) use(this.tls)
      this.#log.info({ endsAt: new Date(pair.endsAt).toISOString() }, 'certificate renewed')
    } catch (error) {
      if (!(error instanceof PemError)) throw error
      if (this.#fault !== error.message)
        this.#log.error({ reason: error.message }, 'the new certificate cannot be used, the old one stays')
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
