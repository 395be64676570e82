/**
 * The value of `datamasking.info` for output that should have been masked and was not: one item with its error, in
 * MessagePack as hoop's gateway decodes it. The gateway counts it as a masking error.
 */
export function encodeMaskingFailure(error: string): Buffer {
  const item = map([
    ['transformed_bytes', Buffer.of(0)],
    ['transformation_summary', array([])],
    ['err', text(error)],
  ])
  return map([['items', array([item])]])
}

/** Up to 15 entries. */
function map(entries: readonly (readonly [name: string, value: Buffer])[]): Buffer {
  return Buffer.concat([
    Buffer.of(0x80 | entries.length),
    ...entries.flatMap(([name, value]) => [text(name), value]),
  ])
}

/** Up to 15 items. */
function array(items: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.of(0x90 | items.length), ...items])
}

/** Up to 65,535 bytes. */
function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  const length = bytes.length < 32 ? [0xa0 | bytes.length] : [0xda, bytes.length >> 8, bytes.length & 0xff]
  return Buffer.concat([Buffer.from(length), bytes])
}
