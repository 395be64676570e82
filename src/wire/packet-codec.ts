import { isUtf8 } from 'node:buffer'
import { DecodeError, NO_PAYLOAD, type Packet } from './packet.ts'

// Packets as protobuf, for proto/transport.proto. protobufjs costs three times as much: it copies each
// packet, and decodes the same few types and keys again and again. Malformed bytes are refused as in Go;
// protobufjs would shorten a text that is cut off, and replace bytes that are not UTF-8.

/** The first byte of a field. It holds the field's number, and says that a length and a value follow. */
const TAG = { type: 0x12, entry: 0x1a, payload: 0x22, key: 0x0a, value: 0x12 } as const
const TEXT_BYTES = 64
const CONTINUES = 0x80
const VARINT_BITS = 7
const MAX_VARINT_BYTES = 10
/** A packet has some twenty entries. 17 MiB may have millions, which would stop the process for seconds. */
const MAX_ENTRIES = 1000
/**
 * An entry is a field that contains two others. Without this limit, millions of types that replace each other
 * could also stop the process.
 */
const MAX_FIELDS = 4 * MAX_ENTRIES

/** Number of fields that may still follow. */
export interface FieldBudget {
  readonly most: number
  left: number
}

export function fieldBudget(most: number): FieldBudget {
  return { most, left: most }
}

/** @throws DecodeError if no field is left */
export function takeField(fields: FieldBudget): void {
  fields.left -= 1
  if (fields.left < 0) throw malformed(`more than ${fields.most} fields`)
}

export function encodePacket(packet: Packet): Buffer {
  return encode(packet, 0, packet.payload)
}

/**
 * Encodes the packet without its payload, after `room` free bytes. The payload is the end of a packet, so the
 * caller can write it separately.
 */
export function encodeHead(packet: Packet, room: number): Buffer {
  return encode(packet, room, NO_PAYLOAD)
}

/** `end` is the payload. It is empty if the caller writes the payload. */
function encode({ type, spec, payload }: Packet, room: number, end: Buffer): Buffer {
  const entries = Object.keys(spec).map((key) => entryOf(key, spec[key] ?? NO_PAYLOAD))
  const typeBytes = textBytes(type)
  const fields = entries.reduce((sum, { length }) => sum + fieldBytes(length), 0)
  const head = fieldBytes(typeBytes.length) + fields + fieldBytes(payload.length) - payload.length
  const bytes = Buffer.allocUnsafe(room + head + end.length)
  let at = writeField(bytes, room, TAG.type, typeBytes)
  for (const { length, key, value } of entries) {
    at = writeHead(bytes, at, TAG.entry, length)
    at = writeField(bytes, at, TAG.key, key)
    at = writeField(bytes, at, TAG.value, value)
  }
  bytes.set(end, writeHead(bytes, at, TAG.payload, payload.length))
  return bytes
}

interface Entry {
  readonly key: Buffer
  readonly value: Buffer
  /** Bytes of both fields. */
  readonly length: number
}

function entryOf(text: string, value: Buffer): Entry {
  const key = textBytes(text)
  return { key, value, length: fieldBytes(key.length) + fieldBytes(value.length) }
}

/** Returns the size of a whole field whose value has `length` bytes. */
function fieldBytes(length: number): number {
  let head = 2
  for (let rest = length; rest >= CONTINUES; rest >>>= VARINT_BITS) head += 1
  return head + length
}

/** Returns the place after the field. */
function writeField(into: Buffer, at: number, tag: number, value: Buffer): number {
  const start = writeHead(into, at, tag, value.length)
  into.set(value, start)
  return start + value.length
}

function writeHead(into: Buffer, at: number, tag: number, length: number): number {
  into[at] = tag
  let end = at + 1
  let rest = length
  for (; rest >= CONTINUES; rest >>>= VARINT_BITS) {
    into[end] = (rest & (CONTINUES - 1)) | CONTINUES
    end += 1
  }
  into[end] = rest
  return end + 1
}

/** A message up to this size may stay in memory for the sake of a small payload. */
const MAX_KEPT_BYTES = 256 * 1024

/** The values and, as a rule, the payload are parts of `bytes`. @throws DecodeError */
export function decodePacket(bytes: Buffer): Packet {
  return decodeWithin(bytes, fieldBudget(MAX_FIELDS))
}

/** Decodes a packet that shares the budget with other packets. @throws DecodeError */
export function decodeWithin(bytes: Buffer, fields: FieldBudget): Packet {
  const reader = new Reader(bytes, 0, bytes.length, fields)
  let type = ''
  let payload: Buffer = NO_PAYLOAD
  const spec: Record<string, Buffer> = {}
  let entries = 0
  while (reader.hasMore) {
    const tag = reader.tag()
    if (tag === TAG.type) type = reader.text()
    else if (tag === TAG.payload) payload = reader.value()
    else if (tag === TAG.entry) {
      entries += 1
      if (entries > MAX_ENTRIES) throw malformed(`more than ${MAX_ENTRIES} entries`)
      readEntry(reader.part(), spec)
    } else reader.skip(tag)
  }
  return { type, spec, payload: ownPayload(payload) }
}

/**
 * Copies a payload that is a small part of a large message. Payloads wait in queues, which count the payload
 * only.
 */
function ownPayload(payload: Buffer): Buffer {
  const { byteLength } = payload.buffer
  return byteLength <= MAX_KEPT_BYTES || byteLength < 2 * payload.length ? payload : Buffer.from(payload)
}

function readEntry(reader: Reader, spec: Record<string, Buffer>): void {
  let key = ''
  let value: Buffer = NO_PAYLOAD
  while (reader.hasMore) {
    const tag = reader.tag()
    if (tag === TAG.key) key = reader.text()
    else if (tag === TAG.value) value = reader.value()
    else reader.skip(tag)
  }
  if (key !== '__proto__') spec[key] = value
  else Object.defineProperty(spec, key, { value, configurable: true, enumerable: true, writable: true })
}

/** Its methods throw when the bytes end too early. */
class Reader {
  readonly #bytes: Buffer
  #at: number
  readonly #end: number
  /** Counts the fields of the whole packet, or of all joined packets. */
  readonly #fields: FieldBudget

  constructor(bytes: Buffer, at: number, end: number, fields: FieldBudget) {
    this.#bytes = bytes
    this.#at = at
    this.#end = end
    this.#fields = fields
  }

  get hasMore(): boolean {
    return this.#at < this.#end
  }

  tag(): number {
    takeField(this.#fields)
    return this.number()
  }

  number(): number {
    let value = 0
    for (let bits = 0; bits < MAX_VARINT_BYTES * VARINT_BITS; bits += VARINT_BITS) {
      const byte = this.#byte()
      const part = byte & (CONTINUES - 1)
      if (bits + VARINT_BITS > 32 && part >= 2 ** (32 - bits))
        throw malformed('a number has more than 32 bits')
      if (bits < 32) value |= part << bits
      if (byte < CONTINUES) return value >>> 0
    }
    throw tooLong()
  }

  value(): Buffer {
    const length = this.number()
    const start = this.#passed(length)
    return this.#bytes.subarray(start, start + length)
  }

  text(): string {
    const length = this.number()
    const start = this.#passed(length)
    return textIn(this.#bytes, start, start + length)
  }

  /** Returns the fields of a value that is a message. */
  part(): Reader {
    const length = this.number()
    const start = this.#passed(length)
    return new Reader(this.#bytes, start, start + length, this.#fields)
  }

  /** Skips a field of a newer version. */
  skip(tag: number): void {
    const wireType = tag & 7
    if (tag >>> 3 === 0) throw malformed('a field has the number 0')
    if (wireType === 0) this.#skipVarint()
    else if (wireType === 1) this.#passed(8)
    else if (wireType === 2) this.#passed(this.number())
    else if (wireType === 5) this.#passed(4)
    else throw malformed(`a field has the unknown form ${wireType}`)
  }

  #skipVarint(): void {
    for (let count = 0; count < MAX_VARINT_BYTES; count += 1) if (this.#byte() < CONTINUES) return
    throw tooLong()
  }

  #byte(): number {
    return this.#bytes[this.#passed(1)] ?? 0
  }

  /** Returns the offset of the first skipped byte. */
  #passed(length: number): number {
    const at = this.#at
    if (length > this.#end - at) throw malformed('the bytes end too early')
    this.#at = at + length
    return at
  }
}

function tooLong(): DecodeError {
  return malformed(`a number has more than ${MAX_VARINT_BYTES} bytes`)
}

function malformed(reason: string): DecodeError {
  return new DecodeError('packet', reason)
}

interface Text {
  readonly text: string
  readonly bytes: Buffer
}

/** The last text of each length. It is compared first, because packets have few different types and keys. */
const lastRead: (Text | undefined)[] = Array.from({ length: TEXT_BYTES }, () => undefined)

function textIn(bytes: Buffer, start: number, end: number): string {
  const last = lastRead[end - start]
  if (last !== undefined && isAt(bytes, start, last.bytes)) return last.text
  if (!isUtf8(bytes.subarray(start, end))) throw malformed('a text is not UTF-8')
  const text = bytes.toString('utf8', start, end)
  if (end - start < TEXT_BYTES)
    lastRead[end - start] = { text, bytes: Buffer.from(bytes.subarray(start, end)) }
  return text
}

function isAt(bytes: Buffer, start: number, wanted: Buffer): boolean {
  for (let at = 0; at < wanted.length; at += 1) if (bytes[start + at] !== wanted[at]) return false
  return true
}

const MAX_WRITTEN = 200
/** Encoded types and keys, kept so that they are not encoded again. */
const written = new Map<string, Buffer>()

function textBytes(text: string): Buffer {
  const known = written.get(text)
  if (known !== undefined) return known
  const bytes = Buffer.from(text)
  // The length and the number are limited, because a gateway passes on types and keys that its clients
  // choose.
  if (bytes.length < TEXT_BYTES && written.size < MAX_WRITTEN) written.set(text, bytes)
  return bytes
}
