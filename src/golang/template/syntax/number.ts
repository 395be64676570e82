import type { ByteString } from '../../text/byte-string.ts'
import { quote } from '../../text/quote.ts'
import { literalCharacter } from '../../text/unquote.ts'

/**
 * What a number written in a template is worth: an `int` (bigint), a `float64` (number), `too-big` for one that
 * only an unsigned integer could hold (an error when it is used), or why it is none.
 */
export type NumberMeaning = { readonly value: bigint | number | 'too-big' } | { readonly error: ByteString }

const MAX_INT = 2n ** 63n - 1n
const MIN_INT = -(2n ** 63n)
const MAX_UINT = 2n ** 64n - 1n
/** More digits than 64 bits have in base 2, so the number is out of range whatever the digits are. */
const MAX_DIGITS = 64

const INTEGER = /^([+-]?)(?:0[xX]([0-9a-fA-F_]+)|0[oO]([0-7_]+)|0[bB]([01_]+)|0([0-7_]+)|(0|[1-9][0-9_]*))$/
const FLOAT = /^[+-]?(?:[0-9_]+(?:\.[0-9_]*)?|\.[0-9_]+)(?:[eE][+-]?[0-9][0-9_]*)?$/
const STRAY_UNDERSCORE = /(?:^|[^0-9])_|_(?![0-9])/
const STRAY_HEX_UNDERSCORE = /(?:^|[^0-9a-fA-F])_|_(?![0-9a-fA-F])/

/** Reads a number token the way Go reads untyped constants. Complex and hexadecimal floating ones are refused. */
export function readNumber(text: ByteString): NumberMeaning {
  if (text.endsWith('i')) return { error: `complex constants are not supported: ${quote(text)}` }
  const integer = readInteger(text)
  if (integer !== undefined) return integerMeaning(text, integer)
  if (/^[+-]?0[xX].*[pP]/.test(text)) {
    return { error: `hexadecimal floating point constants are not supported: ${quote(text)}` }
  }
  const float = readFloat(text)
  if (float === undefined) return { error: `illegal number syntax: ${quote(text)}` }
  if (!hasFloatSign(text)) return { error: `integer overflow: ${quote(text)}` }
  return { value: float }
}

/** Reads a character constant such as `'a'`: its code point as an int. */
export function readCharacter(text: ByteString): NumberMeaning {
  const character = literalCharacter(text, 1, "'")
  if (character === undefined) return { error: 'invalid syntax' }
  if (character.next !== text.length - 1) return { error: `malformed character constant: ${text}` }
  return { value: BigInt(character.value) }
}

/** Go takes an `e` in a signed hexadecimal number for an exponent: `-0xe` is the float64 -14. */
function integerMeaning(text: ByteString, value: bigint): NumberMeaning {
  if (value > MAX_INT) return { value: 'too-big' }
  if (hasFloatSign(text) && !/^0[xX]/.test(text)) return { value: Number(value) }
  return { value }
}

function hasFloatSign(text: ByteString): boolean {
  return /[.eEpP]/.test(text)
}

/** An integer of 64 bits, unsigned allowed where no sign is written; undefined when it is none or out of range. */
function readInteger(text: ByteString): bigint | undefined {
  const match = INTEGER.exec(text)
  if (match === null || !underscoresSeparateDigits(text)) return undefined
  const [, sign = '', hex, octal, binary, oldOctal, decimal] = match
  const prefix = hex !== undefined ? '0x' : binary !== undefined ? '0b' : decimal !== undefined ? '' : '0o'
  const written = hex ?? octal ?? binary ?? oldOctal ?? decimal ?? ''
  const digits = written.replaceAll('_', '').replace(/^0+/, '')
  if (digits.length > MAX_DIGITS) return undefined
  const magnitude = BigInt(digits === '' ? '0' : prefix + digits)
  const value = sign === '-' ? -magnitude : magnitude
  return value >= MIN_INT && value <= (sign === '' ? MAX_UINT : MAX_INT) ? value : undefined
}

function readFloat(text: ByteString): number | undefined {
  if (!FLOAT.test(text) || !/[0-9]/.test(text) || !underscoresSeparateDigits(text)) return undefined
  const value = Number(text.replaceAll('_', ''))
  return Number.isFinite(value) ? value : undefined
}

/** An underscore has to stand between two digits; a base prefix counts as one. */
function underscoresSeparateDigits(text: ByteString): boolean {
  const isHex = /^[+-]?0[xX]/.test(text)
  const digits = text.replace(/^[+-]/, '').replace(/^0[xXbBoO]/, '0')
  return !(isHex ? STRAY_HEX_UNDERSCORE : STRAY_UNDERSCORE).test(digits)
}
