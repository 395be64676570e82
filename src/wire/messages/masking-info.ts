import { sumOfCounts } from '../../basics/text/units.ts'

// The part of MessagePack that `datamasking.info` needs (protocol.md 8.2). `@msgpack/msgpack` 3.1 has no bound on
// nesting, and agents send these bytes: 17 MB of 0x91 took 2.5 GB, even with a bound on the length of lists.
// Without that bound, 15 KB of nested lists took 2.1 GB.

type Packed = null | boolean | number | string | PackedList | PackedMap
type PackedList = readonly Packed[]
interface PackedMap {
  readonly [name: string]: Packed
}

/** Numbers are whole and not negative; texts and lists have at most 65,535 bytes or items. */
function encodeMsgpack(value: Packed): Buffer {
  if (value === null) return Buffer.of(0xc0)
  if (typeof value === 'boolean') return Buffer.of(value ? 0xc3 : 0xc2)
  if (typeof value === 'number') return encodeCount(value)
  if (typeof value === 'string') return encodeText(value)
  if (isList(value)) return Buffer.concat([head(value.length, 0x90, 0xdc), ...value.map(encodeMsgpack)])
  const entries = Object.entries(value)
  const parts = entries.flatMap(([name, item]) => [encodeText(name), encodeMsgpack(item)])
  return Buffer.concat([head(entries.length, 0x80, 0xde), ...parts])
}

function isList(value: PackedList | PackedMap): value is PackedList {
  return Array.isArray(value)
}

function head(count: number, short: number, long: number): Buffer {
  return count < 16 ? Buffer.of(short | count) : Buffer.of(long, count >> 8, count & 0xff)
}

function encodeText(text: string): Buffer {
  const bytes = Buffer.from(text)
  const { length } = bytes
  const begin = length < 32 ? [0xa0 | length] : [0xda, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from(begin), bytes])
}

function encodeCount(count: number): Buffer {
  if (count < 128) return Buffer.of(count)
  const bytes = Buffer.alloc(9, 0xcf)
  bytes.writeBigUInt64BE(BigInt(count), 1)
  return bytes
}

/** Maximum nesting of a MessagePack value. `datamasking.info` has fewer levels. */
const MAX_DEPTH = 8

/**
 * In each table, the key is the type byte of a value. The number is the size in bytes of the length or number
 * after this byte.
 */
const TEXTS = { 0xc4: 1, 0xc5: 2, 0xc6: 4, 0xd9: 1, 0xda: 2, 0xdb: 4 } as const
const LISTS = { 0xdc: 2, 0xdd: 4 } as const
const MAPS = { 0xde: 2, 0xdf: 4 } as const
const WHOLES = { 0xcc: 1, 0xcd: 2, 0xce: 4, 0xcf: 8 } as const
const SIGNED = { 0xd0: 1, 0xd1: 2, 0xd2: 4, 0xd3: 8 } as const
const FLOATS = { 0xca: 4, 0xcb: 8 } as const

/** Returns undefined for bytes that are nested too deep or are not the MessagePack of `datamasking.info`. */
function decodeMsgpack(bytes: Buffer): Packed | undefined {
  try {
    return new Reader(bytes).value(0)
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

class Reader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  /** @throws RangeError */
  value(depth: number): Packed {
    if (depth > MAX_DEPTH) throw new RangeError('too deep')
    const type = this.#whole(1)
    if (type < 0x80) return type
    if (type < 0x90) return this.#map(type & 0x0f, depth)
    if (type < 0xa0) return this.#list(type & 0x0f, depth)
    if (type < 0xc0) return this.#text(type & 0x1f)
    if (type >= 0xe0) return type - 0x100
    return this.#long(type, depth)
  }

  #long(type: number, depth: number): Packed {
    if (type === 0xc0) return null
    if (type === 0xc2 || type === 0xc3) return type === 0xc3
    const sizeIn = (sizes: Readonly<Record<number, number>>) => sizes[type]
    const [text, list, map] = [sizeIn(TEXTS), sizeIn(LISTS), sizeIn(MAPS)]
    if (text !== undefined) return this.#text(this.#whole(text))
    if (list !== undefined) return this.#list(this.#whole(list), depth)
    if (map !== undefined) return this.#map(this.#whole(map), depth)
    const [whole, signed, float] = [sizeIn(WHOLES), sizeIn(SIGNED), sizeIn(FLOATS)]
    if (whole !== undefined) return this.#whole(whole)
    if (signed !== undefined) return Number(BigInt.asIntN(signed * 8, BigInt(this.#whole(signed))))
    if (float !== undefined) return this.#float(float)
    throw new RangeError('a type that is not known here')
  }

  #take(length: number): Buffer {
    if (this.#at + length > this.#bytes.length) throw new RangeError('too short')
    return this.#bytes.subarray(this.#at, (this.#at += length))
  }

  #whole(length: number): number {
    return this.#take(length).reduce((sum, byte) => sum * 256 + byte, 0)
  }

  #float(length: number): number {
    const bytes = this.#take(length)
    return length === 4 ? bytes.readFloatBE() : bytes.readDoubleBE()
  }

  #text(length: number): string {
    return this.#take(length).toString('utf8')
  }

  #list(length: number, depth: number): Packed[] {
    const items: Packed[] = []
    for (let i = 0; i < length; i += 1) items.push(this.value(depth + 1))
    return items
  }

  #map(length: number, depth: number): Record<string, Packed> {
    const entries: [string, Packed][] = []
    for (let i = 0; i < length; i += 1) {
      const name = this.value(depth + 1)
      if (typeof name !== 'string') throw new RangeError('a name that is no text')
      entries.push([name, this.value(depth + 1)])
    }
    return Object.fromEntries(entries)
  }
}

/** Masking of the output in a packet. */
export interface MaskedOutput {
  readonly bytes: number
  /** How often each type of entity was replaced. */
  readonly counts: ReadonlyMap<string, number>
  /** Reasons why output passed unmasked. The texts never quote output. */
  readonly errors: readonly string[]
}

/** Encodes `datamasking.info` (protocol.md 8.2), with an item per error, because hoop counts the items. */
export function encodeMaskedOutput({ bytes, counts, errors }: MaskedOutput): Buffer {
  const summaries = [...counts].map(([type, count]) => ({
    info_type: type,
    field: '',
    results: [{ count, code: 'SUCCESS', details: '' }],
  }))
  const done = { transformed_bytes: bytes, transformation_summary: summaries, err: null }
  const failed = errors.map((err) => ({ transformed_bytes: 0, transformation_summary: [], err }))
  return encodeMsgpack({ items: [...(counts.size > 0 ? [done] : []), ...failed] })
}

/** Never throws. Ignores members of another type. */
export function decodeMaskedOutput(value: Buffer): MaskedOutput {
  const items = listIn(decodeMsgpack(value), 'items')
  const counts = new Map<string, number>()
  for (const summary of items.flatMap((item) => listIn(item, 'transformation_summary'))) {
    const type = memberOf(summary, 'info_type')
    for (const result of listIn(summary, 'results'))
      if (typeof type === 'string' && memberOf(result, 'code') !== 'ERROR')
        counts.set(type, sumOfCounts(counts.get(type) ?? 0, countIn(result, 'count')))
  }
  return {
    bytes: items.reduce<number>((sum, item) => sumOfCounts(sum, countIn(item, 'transformed_bytes')), 0),
    counts,
    errors: items.flatMap((item) => textsIn(item, 'err')),
  }
}

function memberOf(value: Packed | undefined, name: string): Packed | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  return Object.hasOwn(value, name) ? (value as PackedMap)[name] : undefined
}

function listIn(value: Packed | undefined, name: string): readonly Packed[] {
  const member = memberOf(value, name)
  return Array.isArray(member) ? (member as readonly Packed[]) : []
}

function countIn(value: Packed, name: string): number {
  const member = memberOf(value, name)
  return typeof member === 'number' && Number.isSafeInteger(member) && member > 0 ? member : 0
}

function textsIn(value: Packed, name: string): string[] {
  const member = memberOf(value, name)
  return typeof member === 'string' && member !== '' ? [member] : []
}
