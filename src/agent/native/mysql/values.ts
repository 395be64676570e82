// Values of rows and parameters, in text and binary form. All functions throw RangeError if a value is longer
// than the bytes that are left.

const NULL_VALUE = 0xfb

interface Read {
  /** Undefined for NULL. */
  readonly value: Buffer | undefined
  /** Offset of the next value. */
  readonly end: number
}

/** Reads a number of one to nine bytes. */
export function countAt(bytes: Buffer, at: number): { readonly count: number; readonly end: number } {
  const first = bytes.readUInt8(at)
  if (first < NULL_VALUE) return { count: first, end: at + 1 }
  if (first === 0xfc) return { count: bytes.readUInt16LE(at + 1), end: at + 3 }
  if (first === 0xfd) return { count: bytes.readUIntLE(at + 1, 3), end: at + 4 }
  if (first !== 0xfe) throw new RangeError('no length')
  const count = bytes.readBigUInt64LE(at + 1)
  if (count > BigInt(bytes.length)) throw new RangeError('a length beyond its packet')
  return { count: Number(count), end: at + 9 }
}

/** Reads a length and the bytes after it, or NULL in text rows. */
export function textAt(bytes: Buffer, at: number): Read {
  if (bytes.readUInt8(at) === NULL_VALUE) return { value: undefined, end: at + 1 }
  const { count, end } = countAt(bytes, at)
  return { value: slice(bytes, end, count), end: end + count }
}

function slice(bytes: Buffer, at: number, length: number): Buffer {
  if (at + length > bytes.length) throw new RangeError('a value beyond its packet')
  return bytes.subarray(at, at + length)
}

export function encodeLengthPrefixed(value: Buffer | undefined): Buffer {
  if (value === undefined) return Buffer.of(NULL_VALUE)
  const { length } = value
  const head = Buffer.alloc(length < NULL_VALUE ? 1 : length <= 0xffff ? 3 : length <= 0xffffff ? 4 : 9)
  if (head.length === 1) head[0] = length
  else if (head.length === 9) {
    head[0] = 0xfe
    head.writeBigUInt64LE(BigInt(length), 1)
  } else {
    head[0] = head.length === 3 ? 0xfc : 0xfd
    head.writeUIntLE(length, 1, head.length - 1)
  }
  return Buffer.concat([head, value])
}

/** Types with a fixed number of bytes. */
const FIXED: ReadonlyMap<number, number> = new Map([
  [0x01, 1],
  [0x02, 2],
  [0x03, 4],
  [0x04, 4],
  [0x05, 8],
  [0x08, 8],
  [0x09, 4],
  [0x0d, 2],
])
const TIMES: ReadonlySet<number> = new Set([0x07, 0x0a, 0x0b, 0x0c, 0x0e])
const NULL_TYPE = 0x06
const TIME = 0x0b
/**
 * Maximum length of a time in bytes, with days and microseconds. Servers do not read a larger first byte as a
 * length.
 */
const MAX_TIME_BYTES = 12
/** INT24, NULL, YEAR, NEWDATE and BIT: servers differ in how many bytes such a parameter has. */
const NO_PARAMETERS: ReadonlySet<number> = new Set([0x06, 0x09, 0x0d, 0x0e, 0x10])

/** Whether values of a type have a length before their bytes, also in the binary form. */
export function isText(type: number): boolean {
  return !FIXED.has(type) && !TIMES.has(type) && type !== NULL_TYPE
}

/** Whether all servers read a parameter of this type in the same way. Drivers send no other types. */
export function isParameter(type: number): boolean {
  return (
    !NO_PARAMETERS.has(type) &&
    (FIXED.has(type) || TIMES.has(type) || type === 0x00 || type === 0x0f || type >= 0xf5)
  )
}

/** Returns a value in the binary form. If the value begins with its length, `raw` includes the length. */
export function binaryAt(
  bytes: Buffer,
  at: number,
  type: number,
): { readonly raw: Buffer; readonly end: number } {
  if (type === NULL_TYPE) return { raw: Buffer.alloc(0), end: at }
  const fixed = FIXED.get(type)
  const end = fixed === undefined ? endOfCounted(bytes, at, type) : at + fixed
  return { raw: slice(bytes, at, end - at), end }
}

function endOfCounted(bytes: Buffer, at: number, type: number): number {
  if (TIMES.has(type)) {
    const length = bytes.readUInt8(at)
    if (length > MAX_TIME_BYTES) throw new RangeError('a time value is too long')
    return at + 1 + length
  }
  const { value, end } = textAt(bytes, at)
  // In the binary form, NULL is a bit at the beginning of the row. A server would read this byte as a length.
  if (value === undefined) throw new RangeError('a NULL among values')
  return end
}

/** Returns the text that a program prints for a value in the binary form. */
export function printed(raw: Buffer, type: number, isUnsigned: boolean): Buffer {
  if (isText(type)) return textAt(raw, 0).value ?? Buffer.alloc(0)
  if (TIMES.has(type)) return Buffer.from(type === TIME ? time(raw.subarray(1)) : date(raw.subarray(1)))
  return Buffer.from(number(raw, type, isUnsigned))
}

function number(raw: Buffer, type: number, isUnsigned: boolean): string {
  if (type === 0x04) return String(raw.readFloatLE(0))
  if (type === 0x05) return String(raw.readDoubleLE(0))
  if (raw.length === 8) return String(isUnsigned ? raw.readBigUInt64LE(0) : raw.readBigInt64LE(0))
  if (raw.length === 0) return ''
  return String(isUnsigned ? raw.readUIntLE(0, raw.length) : raw.readIntLE(0, raw.length))
}

function date(raw: Buffer): string {
  const day =
    raw.length < 4
      ? '0000-00-00'
      : [padded(raw.readUInt16LE(0), 4), padded(raw[2], 2), padded(raw[3], 2)].join('-')
  return raw.length < 7 ? day : `${day} ${clock(raw, 4)}`
}

function time(raw: Buffer): string {
  if (raw.length < 8) return '00:00:00'
  const hours = raw.readUInt32LE(1) * 24 + (raw[5] ?? 0)
  return `${raw[0] === 1 ? '-' : ''}${padded(hours, 2)}:${padded(raw[6], 2)}:${padded(raw[7], 2)}`
}

function clock(raw: Buffer, at: number): string {
  return [padded(raw[at], 2), padded(raw[at + 1], 2), padded(raw[at + 2], 2)].join(':')
}

function padded(value: number | undefined, digits: number): string {
  return String(value ?? 0).padStart(digits, '0')
}
