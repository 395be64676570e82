import {
  decodeText,
  encodeText,
  encodeRune,
  isValidRune,
  REPLACEMENT_RUNE,
  runeAt,
  type ByteString,
} from './byte-string.ts'
import { isPrintable } from './characters.ts'

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

/** Runs of characters that need a closer look. The rest, plain ASCII, is taken as it is. */
const SPECIAL = /[^ !#-[\]-~]+/g

/** Quotes a text as `%q` does, so that texts of hoop's agent come out the same. */
export function goQuote(text: string): string {
  return decodeText(quote(encodeText(text)))
}

/** A Go string literal in double quotes, as `%q` prints it; with `asciiOnly` as `%+q` does. */
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

/** A Go character literal in single quotes. */
export function quoteRune(value: number, asciiOnly: boolean): ByteString {
  return `'${escapeRune(isValidRune(value) ? value : REPLACEMENT_RUNE, SINGLE_QUOTE, asciiOnly)}'`
}

/** Whether a string can stand between backquotes unchanged. */
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
