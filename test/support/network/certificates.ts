import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'
import { isIPv4 } from 'node:net'

// X.509 in as many bytes of DER as tests need: Node can read certificates, and not make them.

/** A certificate and its key, as PEM. */
export interface Issued {
  readonly certificate: string
  readonly key: string
}

export interface Request {
  /** Host names and IPv4 addresses. */
  readonly names: readonly string[]
  readonly validFrom?: Date
  readonly validTo?: Date
  /** Of RSA with so many bits, instead of P-256. */
  readonly rsaBits?: number
}

/** An authority of a test's own, with a fresh key. */
export class Authority {
  readonly certificate: string
  readonly #keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  readonly #name: string

  constructor(name: string) {
    this.#name = name
    const extension = sequence(oid(2, 5, 29, 19), TRUE, octets(sequence(TRUE)))
    this.certificate = this.#issue(name, this.#keys.publicKey, extension, {})
  }

  issue({ names, rsaBits, ...validity }: Request): Issued {
    const keys =
      rsaBits === undefined
        ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
        : generateKeyPairSync('rsa', { modulusLength: rsaBits })
    const alternatives = sequence(...names.map(alternativeName))
    const extension = sequence(oid(2, 5, 29, 17), octets(alternatives))
    const certificate = this.#issue(names[0] ?? '', keys.publicKey, extension, validity)
    return { certificate, key: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }
  }

  #issue(
    subject: string,
    key: KeyObject,
    extension: Buffer,
    { validFrom = years(-1), validTo = years(10) }: Omit<Request, 'names' | 'rsaBits'>,
  ): string {
    const body = sequence(
      tagged(0xa0, integer(Buffer.from([2]))),
      integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
      SIGNED_WITH,
      commonName(this.#name),
      sequence(time(validFrom), time(validTo)),
      commonName(subject),
      key.export({ type: 'spki', format: 'der' }),
      tagged(0xa3, sequence(extension)),
    )
    const signature = sign('sha256', body, this.#keys.privateKey)
    const der = sequence(body, SIGNED_WITH, tagged(0x03, Buffer.concat([Buffer.from([0]), signature])))
    const lines = der.toString('base64').match(/.{1,64}/g) ?? []
    return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
  }
}

export function years(count: number): Date {
  return new Date(Date.now() + count * 365 * 24 * 60 * 60 * 1000)
}

function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content
  const long = length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255]
  return Buffer.concat([Buffer.from([tag, ...(length < 128 ? [length] : long)]), content])
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts))
}

function integer(bytes: Buffer): Buffer {
  return tagged(0x02, bytes)
}

function octets(content: Buffer): Buffer {
  return tagged(0x04, content)
}

function oid(first: number, second: number, ...rest: readonly number[]): Buffer {
  const bytes = rest.flatMap((arc) => [
    ...(arc >= 16_384 ? [(arc >> 14) | 128] : []),
    ...(arc >= 128 ? [((arc >> 7) & 127) | 128] : []),
    arc & 127,
  ])
  return tagged(0x06, Buffer.from([first * 40 + second, ...bytes]))
}

function commonName(text: string): Buffer {
  return sequence(tagged(0x31, sequence(oid(2, 5, 4, 3), tagged(0x0c, Buffer.from(text)))))
}

function alternativeName(name: string): Buffer {
  return isIPv4(name)
    ? tagged(0x87, Buffer.from(name.split('.').map(Number)))
    : tagged(0x82, Buffer.from(name))
}

/** GeneralizedTime: `20260102030405Z`. */
function time(date: Date): Buffer {
  return tagged(0x18, Buffer.from(`${date.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`))
}

const TRUE = Buffer.from([0x01, 0x01, 0xff])
/** ecdsa-with-SHA256 */
const SIGNED_WITH = sequence(oid(1, 2, 840, 10_045, 4, 3, 2))
