import { encodeRune } from './byte-string.ts'

const LETTER_OR_DIGIT = /^[\p{L}\p{Nd}_]$/u
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u

/** Go's white space inside an action and around a trim marker, as a character code. */
export function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0d || code === 0x0a
}

/** Whether a code point may be part of a name. */
export function isAlphanumeric(rune: number): boolean {
  return rune < 0x80 ? isAsciiWord(rune) : LETTER_OR_DIGIT.test(String.fromCodePoint(rune))
}

function isAsciiWord(code: number): boolean {
  const isDigit = code >= 0x30 && code <= 0x39
  const lowercase = code | 0x20
  return isDigit || code === 0x5f || (lowercase >= 0x61 && lowercase <= 0x7a)
}

/** Whether Go shows a code point as it is instead of escaping it. */
export function isPrintable(rune: number): boolean {
  return rune < 0x80 ? rune >= 0x20 && rune !== 0x7f : PRINTABLE.test(String.fromCodePoint(rune))
}

/** A code point as Go's `%#U` prints it: `U+002B '+'`, or only the number when it cannot be shown. */
export function describeRune(rune: number): string {
  const code = `U+${rune.toString(16).toUpperCase().padStart(4, '0')}`
  return isPrintable(rune) ? `${code} '${encodeRune(rune)}'` : code
}
