import { NO_PAYLOAD, type Packet } from './packet.ts'

// The messages of proto/transport.proto, written and read by hand: there are three, with texts and bytes only. A
// library that reads the .proto takes a third of the time in which the agent starts.

/** A field whose value has a length: text, bytes or a message. */
const LENGTH_DELIMITED = 2

const TYPE = 2
const SPEC = 3
const PAYLOAD = 4
const ENTRY_KEY = 1
const ENTRY_VALUE = 2

/** The tag of each field used here is one byte. */
const TAG_BYTES = 1
const TAG_BITS = 3

/**
 * Writes a packet.
 * @param prefix bytes that are left free before it
 */
export function encodePacket({ type, spec, payload }: Packet, prefix = 0): Buffer {
  const entries = Object.entries(spec)
  let size = prefix + (type === '' ? 0 : sizeOfField(Buffer.byteLength(type)))
  for (const [key, value] of entries) size += sizeOfField(sizeOfEntry(key, value))
  if (payload.length > 0) size += sizeOfField(payload.length)
  const bytes = Buffer.allocUnsafe(size)
  let at = prefix
  if (type !== '') at = writeText(bytes, at, TYPE, type)
  for (const [key, value] of entries) {
    at = writeHead(bytes, at, SPEC, sizeOfEntry(key, value))
    at = writeText(bytes, at, ENTRY_KEY, key)
    at = writeBytes(bytes, at, ENTRY_VALUE, value)
  }
  if (payload.length > 0) writeBytes(bytes, at, PAYLOAD, payload)
  return bytes
}

/**
 * Reads a packet. Values are views of the bytes; absent fields are empty, and unknown ones are left out.
 * @throws MalformedMessage
 */
export function decodePacket(bytes: Buffer): Packet {
  let type = ''
  let payload: Buffer = NO_PAYLOAD
  const spec: Record<string, Buffer> = {}
  forEachField(bytes, (field, value) => {
    if (field === TYPE) type = value.toString('utf8')
    else if (field === SPEC) addEntry(spec, value)
    else if (field === PAYLOAD) payload = value
  })
  return { type, spec, payload }
}

/** Reads a message whose fields are texts. @throws MalformedMessage */
export function decodeTexts<Name extends string>(
  bytes: Buffer,
  names: Readonly<Record<Name, number>>,
): Record<Name, string> {
  const texts = Object.fromEntries(Object.keys(names).map((name) => [name, ''])) as Record<Name, string>
  forEachField(bytes, (field, value) => {
    for (const name of Object.keys(names) as Name[])
      if (names[name] === field) texts[name] = value.toString('utf8')
  })
  return texts
}

/** Writes a message whose fields are texts. */
export function encodeTexts(texts: readonly (readonly [field: number, text: string])[]): Buffer {
  const written = texts.filter(([, text]) => text !== '')
  const size = written.reduce((sum, [, text]) => sum + sizeOfField(Buffer.byteLength(text)), 0)
  const bytes = Buffer.allocUnsafe(size)
  let at = 0
  for (const [field, text] of written) at = writeText(bytes, at, field, text)
  return bytes
}

function addEntry(spec: Record<string, Buffer>, entry: Buffer): void {
  let key = ''
  let of: Buffer = NO_PAYLOAD
  forEachField(entry, (field, value) => {
    if (field === ENTRY_KEY) key = value.toString('utf8')
    else if (field === ENTRY_VALUE) of = value
  })
  // An assignment to `__proto__` would not make a key of its own.
  if (key === '__proto__')
    Object.defineProperty(spec, key, { value: of, enumerable: true, configurable: true, writable: true })
  else spec[key] = of
}

function sizeOfEntry(key: string, value: Buffer): number {
  return sizeOfField(Buffer.byteLength(key)) + sizeOfField(value.length)
}

function sizeOfField(length: number): number {
  return TAG_BYTES + sizeOfNumber(length) + length
}

function sizeOfNumber(value: number): number {
  let size = 1
  for (let rest = value; rest > 0x7f; rest >>>= 7) size += 1
  return size
}

function writeText(bytes: Buffer, at: number, field: number, text: string): number {
  const start = writeHead(bytes, at, field, Buffer.byteLength(text))
  return start + bytes.write(text, start, 'utf8')
}

function writeBytes(bytes: Buffer, at: number, field: number, value: Buffer): number {
  const start = writeHead(bytes, at, field, value.length)
  bytes.set(value, start)
  return start + value.length
}

/** Writes the tag and the length of a field. @returns the place of its value */
function writeHead(bytes: Buffer, at: number, field: number, length: number): number {
  bytes[at] = (field << TAG_BITS) | LENGTH_DELIMITED
  let next = at + TAG_BYTES
  for (let rest = length; ; rest >>>= 7) {
    bytes[next] = rest > 0x7f ? (rest & 0x7f) | 0x80 : rest
    next += 1
    if (rest <= 0x7f) return next
  }
}

/** Bytes that are no message of protobuf. */
export class MalformedMessage extends Error {
  override readonly name = 'MalformedMessage'

  constructor() {
    super('malformed protobuf message')
  }
}

/** Most bytes of a number. */
const LONGEST_NUMBER = 10
/** Bytes of values of fixed size, by the kind of the field. */
const FIXED_BYTES: Readonly<Record<number, number>> = { 1: 8, 5: 4 }

/** Calls `take` for each field with a length, in order. Other fields are of newer versions. */
function forEachField(bytes: Buffer, take: (field: number, value: Buffer) => void): void {
  const { length } = bytes
  for (let at = 0; at < length;) {
    const tag = numberAt(bytes, at)
    at = endOfNumber(bytes, at)
    const kind = tag & 7
    if (kind === LENGTH_DELIMITED) {
      const size = numberAt(bytes, at)
      const start = endOfNumber(bytes, at)
      at = start + size
      if (at > length) throw new MalformedMessage()
      take(tag >>> TAG_BITS, bytes.subarray(start, at))
    } else at = kind === 0 ? endOfNumber(bytes, at) : at + fixed(kind)
    if (at > length) throw new MalformedMessage()
  }
}

function fixed(kind: number): number {
  const size = FIXED_BYTES[kind]
  if (size === undefined) throw new MalformedMessage()
  return size
}

/** Returns the lower 32 bits of a number. */
function numberAt(bytes: Buffer, at: number): number {
  let value = 0
  for (let n = 0; n < 5; n++) {
    const byte = bytes[at + n] ?? 0
    value |= (byte & 0x7f) << (7 * n)
    if (byte < 0x80) break
  }
  return value >>> 0
}

/** @throws MalformedMessage when the number does not end */
function endOfNumber(bytes: Buffer, at: number): number {
  for (let n = 0; n < LONGEST_NUMBER; n++) {
    const byte = bytes[at + n]
    if (byte === undefined) break
    if (byte < 0x80) return at + n + 1
  }
  throw new MalformedMessage()
}
