import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { NativeError } from '../native-error.ts'

const HASH = 'sha256'
/**
 * Maximum number of iterations that a server may ask for. More would delay the agent. PostgreSQL's default is
 * 4096.
 */
const MAX_ITERATIONS = 1_000_000
const derive = promisify(pbkdf2)

/** The binding of a login to its TLS connection. */
export interface Binding {
  /**
   * `n,,`: there is no TLS, or the agent cannot bind the login. `y,,`: there is TLS, but the server cannot
   * bind the login. `p=...`: the login is bound to TLS.
   */
  readonly header: string
  readonly data: Buffer
}

/** One login by SCRAM-SHA-256 (RFC 5802, RFC 7677), with or without channel binding. */
export class Scram {
  readonly #password: string
  readonly #binding: Binding
  readonly #nonce = randomBytes(18).toString('base64')
  #serverSignature: Buffer | undefined
  #isVerified = false

  constructor(password: string, binding: Binding) {
    this.#password = password
    this.#binding = binding
  }

  /**
   * The client's first message. The user in it is empty, because PostgreSQL uses the user of the startup
   * packet.
   */
  get first(): string {
    return `${this.#binding.header}${this.#firstBare}`
  }

  get isVerified(): boolean {
    return this.#isVerified
  }

  /** Returns the client's last message. @throws NativeError */
  async answer(serverFirst: string): Promise<string> {
    const [, nonce = '', salt = '', digits = ''] =
      /^r=([\x21-\x2b\x2d-\x7e]+),s=([A-Za-z0-9+/=]+),i=(\d{1,9})(?:,|$)/.exec(serverFirst) ?? []
    const iterations = Number(digits)
    if (!nonce.startsWith(this.#nonce) || nonce === this.#nonce)
      throw new NativeError('server', "the server's SCRAM nonce does not continue ours")
    if (iterations < 1 || iterations > MAX_ITERATIONS)
      throw new NativeError(
        'server',
        `the server asks for ${digits} rounds of SCRAM; at most ${MAX_ITERATIONS} are accepted`,
      )
    const salted = await derive(
      this.#password.normalize('NFKC'),
      Buffer.from(salt, 'base64'),
      iterations,
      32,
      HASH,
    )
    const { header, data } = this.#binding
    const bound = Buffer.concat([Buffer.from(header), data]).toString('base64')
    const withoutProof = `c=${bound},r=${nonce}`
    const message = [this.#firstBare, serverFirst, withoutProof].join(',')
    const clientKey = hmac(salted, 'Client Key')
    const signature = hmac(createHash(HASH).update(clientKey).digest(), message)
    this.#serverSignature = hmac(hmac(salted, 'Server Key'), message)
    const proof = clientKey.map((byte, at) => byte ^ (signature[at] ?? 0))
    return `${withoutProof},p=${Buffer.from(proof).toString('base64')}`
  }

  /** @throws NativeError for a server that does not know the password */
  verify(serverFinal: string): void {
    const signature = Buffer.from(/^v=([A-Za-z0-9+/=]+)/.exec(serverFinal)?.[1] ?? '', 'base64')
    const expected = this.#serverSignature
    if (expected?.length !== signature.length || !timingSafeEqual(expected, signature))
      throw new NativeError(
        'server',
        'the server did not prove that it knows the password (SCRAM server signature)',
      )
    this.#isVerified = true
  }

  get #firstBare(): string {
    return `n=,r=${this.#nonce}`
  }
}

/**
 * Returns the hash of the certificate (`tls-server-end-point`, RFC 5929). Returns undefined if the
 * certificate's signature algorithm names no hash.
 */
export function endPointOf(certificate: Buffer): Buffer | undefined {
  const oid = signatureOid(certificate)
  const hash = oid === undefined ? undefined : HASHES.get(oid)
  return hash === undefined ? undefined : createHash(hash).update(certificate).digest()
}

/**
 * The hash for each signature algorithm. Keys are the bytes of the algorithm's OID, in hex. SHA-256 replaces
 * MD5 and SHA-1 (RFC 5929, 4.1).
 */
const RSA = '2a864886f70d0101'
const ECDSA = '2a8648ce3d04'
const HASHES: ReadonlyMap<string, string> = new Map([
  ...(['04', '05', '0b'] as const).map((last) => [RSA + last, 'sha256'] as const),
  [`${RSA}0c`, 'sha384'],
  [`${RSA}0d`, 'sha512'],
  [`${ECDSA}01`, 'sha256'],
  [`${ECDSA}0302`, 'sha256'],
  [`${ECDSA}0303`, 'sha384'],
  [`${ECDSA}0304`, 'sha512'],
])

/** Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm SEQUENCE { OID, ... }, ... } */
function signatureOid(der: Buffer): string | undefined {
  const certificate = contentAt(der, 0)
  const signed = certificate && contentAt(der, certificate.start)
  const algorithm = signed && contentAt(der, signed.end)
  const oid = algorithm && contentAt(der, algorithm.start)
  return oid && der.subarray(oid.start, oid.end).toString('hex')
}

function contentAt(der: Buffer, at: number): { readonly start: number; readonly end: number } | undefined {
  const first = der[at + 1]
  if (first === undefined) return undefined
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f
  if (lengthBytes > 4 || at + 2 + lengthBytes > der.length) return undefined
  const start = at + 2 + lengthBytes
  const length = lengthBytes === 0 ? first : der.readUIntBE(at + 2, lengthBytes)
  return start + length <= der.length ? { start, end: start + length } : undefined
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac(HASH, key).update(text).digest()
}
