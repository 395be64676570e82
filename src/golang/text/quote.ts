import {
  type ByteString,
  decodeText,
  encodeRune,
  encodeText,
  isValidRune,
  REPLACEMENT_RUNE,
  runeAt,
} from './byte-string.ts'

const LETTER_OR_DIGIT = /^[\p{L}\p{Nd}_]$/u
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u

/** Whether a character is white space inside an action and around a trim marker. */
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

/** Whether Go shows a code point unescaped. */
export function isPrintable(rune: number): boolean {
  return rune < 0x80 ? rune >= 0x20 && rune !== 0x7f : PRINTABLE.test(String.fromCodePoint(rune))
}

/** Formats like Go's `%#U`: `U+002B '+'`. Leaves out a character that cannot be shown. */
export function describeRune(rune: number): string {
  const code = `U+${rune.toString(16).toUpperCase().padStart(4, '0')}`
  return isPrintable(rune) ? `${code} '${encodeRune(rune)}'` : code
}

const DOUBLE_QUOTE = 0x22
const SINGLE_QUOTE = 0x27

const NAMED_ESCAPES: ReadonlyMap<number, string> = new Map([
  [0x07, '\\a'],
  [0x08, '\\b'],
  [0x0c, '\\f'],
  [0x0a, '\\n'],
  [0x0d, '\\r'],
  [0x09, '\\t'],
  [0x0b, '\\v'],
])

/** Matches characters that may need escaping. All others are ASCII and are not changed. */
const SPECIAL = /[^ !#-[\]-~]+/g

/** Quotes a text like Go's `%q`, because hoop's agent quotes texts in this way. */
export function goQuote(text: string): string {
  return decodeText(quote(encodeText(text)))
}

/** Quotes bytes like Go's `%q`. With `asciiOnly`, quotes them like `%+q`. */
export function quote(bytes: ByteString, asciiOnly = false): ByteString {
  return `"${bytes.replace(SPECIAL, (run) => escapeRun(run, asciiOnly))}"`
}

function escapeRun(run: ByteString, asciiOnly: boolean): ByteString {
  const parts: ByteString[] = []
  for (let at = 0; at < run.length;) {
    const { value, width } = runeAt(run, at)
    const isBroken = width === 1 && value === REPLACEMENT_RUNE
    parts.push(isBroken ? `\\x${hex(run.charCodeAt(at), 2)}` : escapeRune(value, DOUBLE_QUOTE, asciiOnly))
    at += width
  }
  return parts.join('')
}

/** Quotes as a Go character literal in single quotes. */
export function quoteRune(value: number, asciiOnly: boolean): ByteString {
  return `'${escapeRune(isValidRune(value) ? value : REPLACEMENT_RUNE, SINGLE_QUOTE, asciiOnly)}'`
}

/** Whether a string can be put between backquotes unchanged. */
export function canBackquote(bytes: ByteString): boolean {
  for (let at = 0; at < bytes.length;) {
    const { value, width } = runeAt(bytes, at)
    if (width > 1 ? value === 0xfeff : !isPlainInBackquotes(value)) return false
    at += width
  }
  return true
}

function isPlainInBackquotes(value: number): boolean {
  if (value === REPLACEMENT_RUNE || value === 0x60 || value === 0x7f) return false
  return value >= 0x20 || value === 0x09
}

function escapeRune(rune: number, quoteMark: number, asciiOnly: boolean): ByteString {
  if (rune === quoteMark || rune === 0x5c) return `\\${String.fromCharCode(rune)}`
  if (isPrintable(rune) && (rune < 0x80 || !asciiOnly)) return encodeRune(rune)
  const named = NAMED_ESCAPES.get(rune)
  if (named !== undefined) return named
  if (rune < 0x20 || rune === 0x7f) return `\\x${hex(rune, 2)}`
  return rune < 0x10000 ? `\\u${hex(rune, 4)}` : `\\U${hex(rune, 8)}`
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0')
}

/** `next` is the offset of the next character. */
interface LiteralCharacter {
  readonly value: number
  readonly bytes: ByteString
  readonly next: number
}

const SIMPLE_ESCAPES: ReadonlyMap<string, number> = new Map([
  ['a', 0x07],
  ['b', 0x08],
  ['f', 0x0c],
  ['n', 0x0a],
  ['r', 0x0d],
  ['t', 0x09],
  ['v', 0x0b],
  ['\\', 0x5c],
])
const HEX_ESCAPES: ReadonlyMap<string, number> = new Map([
  ['x', 2],
  ['u', 4],
  ['U', 8],
])

/** Reads a literal in double quotes or backquotes. Returns undefined where Go reports `invalid syntax`. */
export function unquote(literal: ByteString): ByteString | undefined {
  if (literal.startsWith('`')) return literal.slice(1, -1).replaceAll('\r', '')
  if (!literal.includes('\\')) return literal.slice(1, -1)
  const end = literal.length - 1
  const parts: string[] = []
  for (let at = 1; at < end;) {
    const character = literalCharacter(literal, at, '"')
    if (character === undefined || character.next > end) return undefined
    parts.push(character.bytes)
    at = character.next
  }
  return parts.join('')
}

/** Resolves escapes. Returns undefined for the closing quote and for invalid text. */
export function literalCharacter(
  text: ByteString,
  at: number,
  quoteMark: string,
): LiteralCharacter | undefined {
  if (text[at] === quoteMark) return undefined
  if (text[at] !== '\\') {
    const { value, width } = runeAt(text, at)
    return { value, bytes: encodeRune(value), next: at + width }
  }
  return escape(text, at + 1, quoteMark)
}

function escape(text: ByteString, at: number, quoteMark: string): LiteralCharacter | undefined {
  const letter = text.charAt(at)
  const simple = letter === quoteMark ? quoteMark.charCodeAt(0) : SIMPLE_ESCAPES.get(letter)
  if (simple !== undefined) return { value: simple, bytes: String.fromCharCode(simple), next: at + 1 }
  const digits = HEX_ESCAPES.get(letter)
  if (digits !== undefined) return hexEscape(text, at + 1, digits)
  return octalEscape(text, at)
}

function hexEscape(text: ByteString, at: number, digits: number): LiteralCharacter | undefined {
  const written = text.slice(at, at + digits)
  if (written.length < digits || !/^[0-9a-fA-F]+$/.test(written)) return undefined
  const value = Number.parseInt(written, 16)
  if (digits === 2) return { value, bytes: String.fromCharCode(value), next: at + digits }
  if (!isValidRune(value)) return undefined
  return { value, bytes: encodeRune(value), next: at + digits }
}

function octalEscape(text: ByteString, at: number): LiteralCharacter | undefined {
  const written = text.slice(at, at + 3)
  if (!/^[0-7]{3}$/.test(written)) return undefined
  const value = Number.parseInt(written, 8)
  if (value > 255) return undefined
  return { value, bytes: String.fromCharCode(value), next: at + 3 }
}
