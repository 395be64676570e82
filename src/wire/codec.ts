import protobuf from 'protobufjs/minimal.js'
import type { Packet } from './packet.ts'

// The messages of proto/transport.proto, by hand: to read that file at each start takes longer than Node's own start.
// test/wire/codec.test.ts holds them against it.

/** A field's number and how its value is written: as bytes with their length. */
const field = (number: number): number => (number << 3) | 2

const TYPE = field(2)
const SPEC = field(3)
const PAYLOAD = field(4)
/** Of an entry of `spec`. */
const KEY = field(1)
const VALUE = field(2)

const WIRE_TYPE = 7
const NOTHING: Buffer = Buffer.alloc(0)

/** Without empty fields, as Go writes them. */
export function encodePacket({ type, spec, payload }: Packet): Buffer {
  const writer = protobuf.Writer.create()
  if (type !== '') writer.uint32(TYPE).string(type)
  for (const [key, value] of Object.entries(spec))
    writer.uint32(SPEC).fork().uint32(KEY).string(key).uint32(VALUE).bytes(value).ldelim()
  if (payload.length > 0) writer.uint32(PAYLOAD).bytes(payload)
  return writer.finish() as Buffer
}

/** Fields that are absent are empty. The packet refers to these bytes. @throws RangeError when they are no message */
export function decodePacket(bytes: Buffer): Packet {
  const reader = protobuf.Reader.create(bytes)
  const spec: (readonly [string, Buffer])[] = []
  let type = ''
  let payload: Buffer = NOTHING
  while (reader.pos < reader.len) {
    const tag = reader.uint32()
    if (tag === TYPE) type = reader.string()
    else if (tag === SPEC) spec.push(decodeEntry(reader))
    else if (tag === PAYLOAD) payload = reader.bytes() as Buffer
    else reader.skipType(tag & WIRE_TYPE)
  }
  // As own properties, `__proto__` too.
  return { type, spec: Object.fromEntries(spec), payload }
}

function decodeEntry(reader: protobuf.Reader): readonly [string, Buffer] {
  const end = reader.uint32() + reader.pos
  let key = ''
  let value: Buffer = NOTHING
  while (reader.pos < end) {
    const tag = reader.uint32()
    if (tag === KEY) key = reader.string()
    else if (tag === VALUE) value = reader.bytes() as Buffer
    else reader.skipType(tag & WIRE_TYPE)
  }
  return [key, value]
}

/** A message of texts alone; their numbers are 1, 2 and so on. */
export function encodeTexts(...texts: readonly string[]): Buffer {
  const writer = protobuf.Writer.create()
  for (const [index, text] of texts.entries()) if (text !== '') writer.uint32(field(index + 1)).string(text)
  return writer.finish() as Buffer
}

/** The first `count` fields of a message of texts. @throws RangeError */
export function decodeTexts(bytes: Buffer, count: number): string[] {
  const reader = protobuf.Reader.create(bytes)
  const texts = Array.from({ length: count }, () => '')
  while (reader.pos < reader.len) {
    const tag = reader.uint32()
    const index = (tag >>> 3) - 1
    if (tag === field(index + 1) && index < count) texts[index] = reader.string()
    else reader.skipType(tag & WIRE_TYPE)
  }
  return texts
}
