import { isUtf8 } from 'node:buffer'
import { SHORTEST_SECRET_BYTES } from '../secrets.ts'

// Texts are strings with a character for each byte (latin1) on the way: V8 compares them faster than buffers.

/** The text as it is, and without its line breaks: a stream may have others. */
export function plainTexts(text: Buffer): Buffer[] {
  return buffers(withoutBreaks(text.toString('latin1')))
}

/** The text as it is, in base64, URLs, forms and JSON. No duplicates, and nothing shorter than 6 bytes. */
export function variantsOf(text: Buffer): Buffer[] {
  const plain = text.toString('latin1')
  const variants = [...withoutBreaks(plain), ...base64Texts(text), ...urlTexts(plain)]
  if (!SAME_IN_JSON.test(plain)) variants.push(...jsonTexts(text))
  return buffers([...new Set(variants)].filter(({ length }) => length >= SHORTEST_SECRET_BYTES))
}

/** ASCII that no writer of JSON escapes. */
const SAME_IN_JSON = /^[\w !#$%'()*+,.:;=?@[\]^`{|}~-]*$/

function withoutBreaks(text: string): string[] {
  const joined = text.replaceAll(/[\r\n]/g, '')
  return joined.length === text.length || joined.length < SHORTEST_SECRET_BYTES ? [text] : [text, joined]
}

function buffers(texts: readonly string[]): Buffer[] {
  return texts.map((text) => Buffer.from(text, 'latin1'))
}

const BITS = 6
/** RFC 2045 and coreutils; RFC 7468 and openssl. */
const COLUMNS = [76, 64]
const ZEROES = Buffer.alloc(2)

/**
 * What a text looks like inside a longer one in base64, standard and URL-safe: once for each position that it can have
 * in a group of three bytes, without the characters that also depend on its neighbours. Also its lines when it is
 * encoded alone and wrapped.
 */
function base64Texts(text: Buffer): string[] {
  const shifted = Buffer.concat([ZEROES, text])
  const aligned = [0, 1, 2].map((before) => encodedBehind(before, shifted))
  const lines = COLUMNS.flatMap((columns) => wrapped(aligned[0] ?? '', columns))
  return [...aligned, ...lines].flatMap(bothAlphabets)
}

/** @param shifted the text after two zeroes */
function encodedBehind(before: number, shifted: Buffer): string {
  const from = ZEROES.length - before
  const encoded = shifted.toString('base64', from)
  const first = Math.ceil((before * 8) / BITS)
  const end = Math.floor(((shifted.length - from) * 8) / BITS)
  return encoded.slice(first, end)
}

/** Includes the last line, which may show up to 56 bytes. */
function wrapped(encoded: string, columns: number): string[] {
  const lines = Math.ceil(encoded.length / columns)
  return Array.from({ length: lines }, (_, line) => encoded.slice(line * columns, (line + 1) * columns))
}

function bothAlphabets(encoded: string): string[] {
  return [encoded, encoded.replaceAll('+', '-').replaceAll('/', '_')]
}

const NOT_ASCII = /[\u007f-\uffff]/g
const GO_ESCAPED = /[<>&\u2028\u2029]/g

/** The text inside a JSON string, without the quotes, as common writers escape it; nothing when it is not UTF-8. */
function jsonTexts(text: Buffer): string[] {
  if (!isUtf8(text)) return []
  const plain = JSON.stringify(text.toString('utf8')).slice(1, -1)
  const ascii = plain.replace(NOT_ASCII, unicodeEscape)
  return [
    plain,
    // Python's, and PHP's with escaped slashes.
    ...[ascii, slashesEscaped(ascii)],
    slashesEscaped(plain),
    plain.replace(GO_ESCAPED, unicodeEscape),
  ].map((escaped) => Buffer.from(escaped).toString('latin1'))
}

function slashesEscaped(json: string): string {
  return json.replaceAll('/', '\\/')
}

/** One UTF-16 unit. */
function unicodeEscape(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}

interface Encoding {
  /** What is not written as it is. */
  readonly encoded: RegExp
  /** Whether a text is written as by none of the encodings before. */
  readonly differs: RegExp
  readonly space: '%20' | '+'
}

const ENCODINGS: readonly Encoding[] = [
  // RFC 3986, unreserved characters: most libraries, for one segment or value.
  { encoded: /[^A-Za-z0-9._~-]/g, differs: /^/, space: '%20' },
  // encodeURIComponent.
  { encoded: /[^A-Za-z0-9._~!'()*-]/g, differs: /[!'()*]/, space: '%20' },
  // Python's quote.
  { encoded: /[^A-Za-z0-9._~/-]/g, differs: /\//, space: '%20' },
  // Forms: Python's quote_plus and Go's QueryEscape; URLSearchParams and Java's URLEncoder.
  { encoded: /[^A-Za-z0-9._~-]/g, differs: / /, space: '+' },
  { encoded: /[^A-Za-z0-9._*-]/g, differs: /[ ~*]/, space: '+' },
]

/**
 * The text in URLs and forms. Bytes are encoded, not characters: it need not be UTF-8.
 * @param text with a character for each byte (latin1)
 */
function urlTexts(text: string): string[] {
  const differing = ENCODINGS.filter(({ differs }) => differs.test(text))
  return differing.flatMap((encoding) => [encode(text, encoding, UPPER), encode(text, encoding, LOWER)])
}

function encode(text: string, { encoded, space }: Encoding, percent: readonly string[]): string {
  return text.replace(encoded, (byte) => (byte === ' ' ? space : (percent[byte.charCodeAt(0)] ?? '')))
}

const LOWER = Array.from({ length: 256 }, (_, byte) => `%${byte.toString(16).padStart(2, '0')}`)
const UPPER = LOWER.map((written) => written.toUpperCase())
