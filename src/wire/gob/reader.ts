import { isUtf8 } from 'node:buffer'
import { DecodeError } from '../packet.ts'
import type { GobOpaque } from './value.ts'

type Step = string | number

/** The decoder's place in a value, such as `CmdList[3]`. The steps become a text only for an error. */
export class GobPlace {
  readonly #field: string
  readonly #steps: Step[] = []

  constructor(field: string) {
    this.#field = field
  }

  /** Enters a struct field by its name, or an element or map entry by its number. */
  enter(step: Step): void {
    this.#steps.push(step)
  }

  /** Leaves the last step. No call is needed after an error, because an error ends the decoding. */
  leave(): void {
    this.#steps.pop()
  }

  error(reason: string): DecodeError {
    return new DecodeError(this.#field + this.#steps.map(written).join(''), reason)
  }
}

// Field names come from the stream. An error does not repeat a name that cannot be a Go identifier.
const IDENTIFIER = /^[\p{L}\p{N}_]{1,100}$/u

function written(step: Step): string {
  if (typeof step === 'number') return `[${step}]`
  return IDENTIFIER.test(step) ? `.${step}` : '.?'
}

/**
 * The decoded text has this character instead of bytes that are not UTF-8. Valid text may contain it, too.
 */
const REPLACEMENT = '\ufffd'
const floatBytes = Buffer.alloc(8)

/**
 * Reads a gob stream (Go: encoding/gob/doc.go, "Encoding Details"). A stream is a sequence of messages, and
 * each message is after its length. Never reads past the open message. Compares a length with the number of
 * bytes left before it allocates anything. Throws DecodeError.
 */
export class GobReader {
  readonly #bytes: Buffer
  readonly #place: GobPlace
  #offset = 0
  #messageEnd = 0

  constructor(bytes: Uint8Array, place: GobPlace) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#place = place
  }

  get offset(): number {
    return this.#offset
  }

  get atEnd(): boolean {
    return this.#offset === this.#bytes.length
  }

  get atMessageEnd(): boolean {
    return this.#offset === this.#messageEnd
  }

  /** Call this only at the end of the previous message. */
  openMessage(): void {
    this.#messageEnd = this.#bytes.length
    const size = this.byteCount()
    if (size === 0) throw this.#place.error('empty message')
    this.#messageEnd = this.#offset + size
  }

  /** Reads up to 64 bits. Returns a bigint only above 2^53 - 1. */
  unsigned(): number | bigint {
    const first = this.#bytes.readUInt8(this.#skip(1))
    if (first < 0x80) return first
    const size = 0x100 - first
    if (size > 8) throw this.#place.error(`integer of ${size} bytes, maximum is 8`)
    const at = this.#skip(size)
    if (size <= 6) return this.#bytes.readUIntBE(at, size)
    const high = BigInt(this.#bytes.readUIntBE(at, size - 4))
    return narrowed((high << 32n) | BigInt(this.#bytes.readUInt32BE(at + size - 4)))
  }

  /** Reads up to 64 bits. Bit 0 says whether the other bits are complemented. */
  signed(): number | bigint {
    const coded = this.unsigned()
    if (typeof coded === 'number') return coded % 2 === 0 ? coded / 2 : -(coded + 1) / 2
    return narrowed(coded % 2n === 0n ? coded >> 1n : ~(coded >> 1n))
  }

  /** Reads the number of a type. The number is negative if the type's definition follows. */
  typeId(): number {
    const id = this.signed()
    if (typeof id === 'bigint') throw this.#place.error('type number out of range')
    return id
  }

  /** A float64 is sent as an integer with its bytes reversed. */
  float(): number {
    floatBytes.writeBigUInt64BE(BigInt(this.unsigned()))
    return floatBytes.readDoubleLE()
  }

  /** Reads a number of bytes. All these bytes must be in the open message. */
  byteCount(): number {
    const count = this.unsigned()
    return this.#counted(count, this.#messageEnd - this.#offset)
  }

  /**
   * Reads a number of elements. Each element takes at least one byte, perhaps in a later message, because
   * even an empty struct has an end mark. So a number above the bytes left in the stream is wrong.
   */
  elementCount(): number {
    const count = this.unsigned()
    return this.#counted(count, this.#bytes.length - this.#offset)
  }

  /** Copies the bytes, because a view would keep the whole packet in memory. */
  bytes(): Buffer {
    return Buffer.from(this.#take(this.byteCount()))
  }

  /**
   * Reads a text. Go strings may hold any bytes. Bytes that are not UTF-8 stay undecoded, because an unknown
   * field may have them. They are not replaced, because no command may run with an argument that was never
   * sent.
   */
  text(): string | GobOpaque {
    const size = this.byteCount()
    const at = this.#skip(size)
    const text = this.#bytes.toString('utf8', at, at + size)
    if (!text.includes(REPLACEMENT)) return text
    const bytes = this.#bytes.subarray(at, at + size)
    return isUtf8(bytes)
      ? text
      : { kind: 'opaque', what: 'text that is not UTF-8', bytes: Buffer.from(bytes) }
  }

  get restOfMessage(): Buffer {
    return this.#bytes.subarray(this.#offset, this.#messageEnd)
  }

  skipMessage(): void {
    this.#offset = this.#messageEnd
  }

  #counted(count: number | bigint, left: number): number {
    if (count > left) throw this.#place.error(`length ${String(count)} with only ${left} bytes left`)
    return Number(count)
  }

  #take(size: number): Buffer {
    const at = this.#skip(size)
    return this.#bytes.subarray(at, at + size)
  }

  /** Returns where the skipped bytes begin. */
  #skip(size: number): number {
    const at = this.#offset
    if (at + size > this.#messageEnd) throw this.#place.error('ends before the value is complete')
    this.#offset = at + size
    return at
  }
}

function narrowed(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}
