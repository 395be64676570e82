import { SHORTEST_SECRET_BYTES } from '../secrets.ts'
import { isLineBreak } from './line-breaks.ts'
import { urlTexts } from './url-texts.ts'
import { isUtf8 } from 'node:buffer'

/** The text as it is, and without its line breaks: a stream may have others. */
export function plainTexts(text: Buffer): Buffer[] {
  const joined = text.filter((byte) => !isLineBreak(byte))
  return joined.length === text.length || joined.length < SHORTEST_SECRET_BYTES
    ? [text]
    : [text, Buffer.from(joined)]
}

/** As it is, in base64, URLs, forms, JSON. No duplicates, and nothing shorter than 6 bytes. */
export function variantsOf(text: Buffer): Buffer[] {
  const variants = [...plainTexts(text), ...base64Texts(text), ...urlTexts(text), ...jsonTexts(text)]
  return distinct(variants.filter(({ length }) => length >= SHORTEST_SECRET_BYTES))
}

function distinct(texts: readonly Buffer[]): Buffer[] {
  return [...new Map(texts.map((text) => [text.toString('latin1'), text])).values()]
}

const BITS = 6
/** RFC 2045 and coreutils; RFC 7468 and openssl. */
const COLUMNS = [76, 64]

/**
 * What a text looks like inside a longer one in base64, standard and URL-safe: once for each position that it can have
 * in a group of three bytes, without the characters that also depend on its neighbours. Also its lines when it is
 * encoded alone and wrapped.
 */
function base64Texts(text: Buffer): Buffer[] {
  const aligned = [0, 1, 2].map((before) => encodedBehind(before, text))
  const lines = COLUMNS.flatMap((columns) => wrapped(aligned[0] ?? '', columns))
  return [...aligned, ...lines].flatMap(bothAlphabets)
}

function encodedBehind(before: number, text: Buffer): string {
  const encoded = Buffer.concat([Buffer.alloc(before), text]).toString('base64')
  const first = Math.ceil((before * 8) / BITS)
  const end = Math.floor(((before + text.length) * 8) / BITS)
  return encoded.slice(first, end)
}

/** Includes the last line, which may show up to 56 bytes. */
function wrapped(encoded: string, columns: number): string[] {
  const lines = Math.ceil(encoded.length / columns)
  return Array.from({ length: lines }, (_, line) => encoded.slice(line * columns, (line + 1) * columns))
}

function bothAlphabets(encoded: string): Buffer[] {
  const urlSafe = encoded.replaceAll('+', '-').replaceAll('/', '_')
  return [Buffer.from(encoded, 'latin1'), Buffer.from(urlSafe, 'latin1')]
}

const NOT_ASCII = /[\u007f-\uffff]/g
const GO_ESCAPED = /[<>&\u2028\u2029]/g

/** The text inside a JSON string, without the quotes, as common writers escape it; nothing when it is not UTF-8. */
function jsonTexts(text: Buffer): Buffer[] {
  if (!isUtf8(text)) return []
  const plain = JSON.stringify(text.toString('utf8')).slice(1, -1)
  const ascii = plain.replace(NOT_ASCII, unicodeEscape)
  return [
    plain,
    // Python's, and PHP's with escaped slashes.
    ...[ascii, slashesEscaped(ascii)],
    slashesEscaped(plain),
    plain.replace(GO_ESCAPED, unicodeEscape),
  ].map((escaped) => Buffer.from(escaped))
}

function slashesEscaped(json: string): string {
  return json.replaceAll('/', '\\/')
}

/** One UTF-16 unit. */
function unicodeEscape(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}
