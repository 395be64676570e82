/**
 * A string of Go: each character (0 to 255) is one byte. In Go, lengths, indexes, columns and comparisons
 * count bytes, and `decodeb64` makes strings that are not text.
 */
export type ByteString = string

/** Go's replacement for bytes that are not UTF-8. */
export const REPLACEMENT_RUNE = 0xfffd

export function encodeText(text: string): ByteString {
  return Buffer.from(text, 'utf8').toString('latin1')
}

/** Bytes that are not UTF-8 become U+FFFD. */
export function decodeText(bytes: ByteString): string {
  return Buffer.from(bytes, 'latin1').toString('utf8')
}

interface Rune {
  readonly value: number
  readonly width: number
}

const INVALID: Rune = { value: REPLACEMENT_RUNE, width: 1 }

/** Returns the code point that starts at a byte; U+FFFD with width 1 for broken UTF-8. */
export function runeAt(bytes: ByteString, at: number): Rune {
  const lead = bytes.charCodeAt(at)
  if (lead < 0x80) return { value: lead, width: 1 }
  if (lead >= 0xc2 && lead <= 0xdf) return continued(bytes, at, lead & 0x1f, 2, 0x80)
  if (lead >= 0xe0 && lead <= 0xef) return continued(bytes, at, lead & 0x0f, 3, 0x800)
  if (lead >= 0xf0 && lead <= 0xf4) return continued(bytes, at, lead & 0x07, 4, 0x10000)
  return INVALID
}

function continued(bytes: ByteString, at: number, leadBits: number, width: number, least: number): Rune {
  let value = leadBits
  for (let i = at + 1; i < at + width; i++) {
    const byte = bytes.charCodeAt(i)
    if (!(byte >= 0x80 && byte <= 0xbf)) return INVALID
    value = (value << 6) | (byte & 0x3f)
  }
  return value >= least && isValidRune(value) ? { value, width } : INVALID
}

export function isValidRune(value: number): boolean {
  return (value >= 0 && value < 0xd800) || (value > 0xdfff && value <= 0x10ffff)
}

/** Returns the bytes of a code point. An invalid one becomes U+FFFD. */
export function encodeRune(value: number): ByteString {
  if (value >= 0 && value < 0x80) return String.fromCharCode(value)
  return encodeText(String.fromCodePoint(isValidRune(value) ? value : REPLACEMENT_RUNE))
}

/** Counts code points. A byte that is not UTF-8 counts as one. */
export function countRunes(bytes: ByteString): number {
  let count = 0
  for (let at = 0; at < bytes.length; at += runeAt(bytes, at).width) count++
  return count
}

export function firstRunes(bytes: ByteString, count: number): ByteString {
  let at = 0
  for (let left = count; left > 0 && at < bytes.length; left--) at += runeAt(bytes, at).width
  return bytes.slice(0, at)
}
