import { isUtf8 } from 'node:buffer'
import type { Origin, SecretNames } from './secret-names.ts'

/**
 * Minimum length of a secret in bytes, also in each encoded form. A shorter text would also match ordinary
 * output.
 */
export const MIN_SECRET_BYTES = 6
/**
 * Minimum length of a line of a secret in bytes. A line is more likely to be ordinary text than a whole
 * secret.
 */
const MIN_LINE_BYTES = 8
const LINE_BREAK = /\r?\n$/
const PEM_BOUNDARY = /^-----(?:BEGIN|END) [A-Z0-9 ]+-----$/

/** The scheme may have a prefix, as in `jdbc:mysql://`. */
const URL_START = /^\s*[a-z][a-z0-9+.:-]*:\/\//i
const AUTHORITY_END = /[/?#]/
const PERCENT_ENCODED = /%([0-9a-f]{2})/gi

/**
 * Returns the value without its last line break, and each line of the value. With the last line break, the
 * redaction would replace the line break, too, and so join two lines of output. Returns nothing for a value
 * shorter than 6 bytes.
 */
export function secretTexts(value: Buffer): Buffer[] {
  // latin1 has one character per byte, so offsets stay the same.
  const text = value.toString('latin1').replace(LINE_BREAK, '')
  if (text.length < MIN_SECRET_BYTES) return []
  return distinct([text, ...linesOf(text)])
}

/** Returns the password of `scheme://user:password@host`, both as written and decoded. Never throws. */
export function passwordsInUrl(value: Buffer): Buffer[] {
  const text = value.toString('latin1')
  const start = URL_START.exec(text)
  if (start === null) return []
  const userinfo = userinfoOf(text.slice(start[0].length))
  const colon = userinfo.indexOf(':')
  if (colon < 0) return []
  const password = userinfo.slice(colon + 1)
  return distinct([password, decoded(password)].filter(({ length }) => length >= MIN_SECRET_BYTES))
}

/** Leaves out PEM boundaries, which are public. */
function linesOf(text: string): string[] {
  if (!text.includes('\n')) return []
  return text
    .split('\n')
    .map(trimmed)
    .filter((line) => line.length >= MIN_LINE_BYTES && !PEM_BOUNDARY.test(line))
}

/** String.trim would also remove 0xA0, which may be part of a UTF-8 character. */
function trimmed(line: string): string {
  let [start, end] = [0, line.length]
  while (start < end && isBlank(line[start])) start += 1
  while (end > start && isBlank(line[end - 1])) end -= 1
  return line.slice(start, end)
}

function isBlank(character: string | undefined): boolean {
  return character === ' ' || character === '\t' || character === '\r'
}

/**
 * Returns the part before the host's `@`. A password may contain `@`, so the last `@` before the first `/`,
 * `?` or `#` counts. Some clients allow `/` in a password, too. If no `@` is before the first of these
 * characters, the first `@` after it counts.
 */
function userinfoOf(rest: string): string {
  const authority = rest.split(AUTHORITY_END, 1)[0] ?? ''
  const end = authority.lastIndexOf('@')
  return rest.slice(0, end >= 0 ? end : Math.max(rest.indexOf('@'), 0))
}

function decoded(text: string): string {
  return text.replace(PERCENT_ENCODED, (_, digits: string) => String.fromCharCode(parseInt(digits, 16)))
}

function distinct(texts: readonly string[]): Buffer[] {
  return [...new Set(texts)].map((text) => Buffer.from(text, 'latin1'))
}

// The functions below use strings with a character per byte (latin1), which V8 compares faster than buffers.

/** Returns the text and the text without its line breaks, because a stream may have other line breaks. */
export function plainTexts(text: Buffer): Buffer[] {
  return buffers(withoutBreaks(text.toString('latin1')))
}

/**
 * Returns the text in all its forms: as it is, in base64, in URLs, in HTML forms and in JSON. Leaves out
 * results that are shorter than 6 bytes.
 */
export function variantsOf(text: Buffer): Buffer[] {
  const plain = text.toString('latin1')
  const variants = [...withoutBreaks(plain), ...base64Texts(text), ...urlTexts(plain)]
  if (!SAME_IN_JSON.test(plain)) variants.push(...jsonTexts(text))
  return buffers([...new Set(variants)].filter(({ length }) => length >= MIN_SECRET_BYTES))
}

/** Text that no JSON encoder escapes. */
const SAME_IN_JSON = /^[\w !#$%'()*+,.:;=?@[\]^`{|}~-]*$/

function withoutBreaks(text: string): string[] {
  const joined = text.replaceAll(/[\r\n]/g, '')
  return joined.length === text.length || joined.length < MIN_SECRET_BYTES ? [text] : [text, joined]
}

function buffers(texts: readonly string[]): Buffer[] {
  return texts.map((text) => Buffer.from(text, 'latin1'))
}

const BITS = 6
/** Line lengths of base64: 76 in RFC 2045 and coreutils, 64 in RFC 7468 and openssl. */
const COLUMNS = [76, 64]
const ZEROES = Buffer.alloc(2)

/**
 * Returns the text as it may appear inside base64, in the standard and the URL-safe alphabet. There is one
 * result for each position of the text in a group of three bytes. The results leave out characters that
 * depend on neighbouring bytes. Also returns each line of the text if it is encoded alone and wrapped.
 */
function base64Texts(text: Buffer): string[] {
  const shifted = Buffer.concat([ZEROES, text])
  const aligned = [0, 1, 2].map((before) => encodedBehind(before, shifted))
  const lines = COLUMNS.flatMap((columns) => wrapped(aligned[0] ?? '', columns))
  return [...aligned, ...lines].flatMap(bothAlphabets)
}

/** `shifted` is the text after two zero bytes. */
function encodedBehind(before: number, shifted: Buffer): string {
  const from = ZEROES.length - before
  const encoded = shifted.toString('base64', from)
  const first = Math.ceil((before * 8) / BITS)
  const end = Math.floor(((shifted.length - from) * 8) / BITS)
  return encoded.slice(first, end)
}

/** Returns all lines, also the last one, which may contain up to 56 bytes of the text. */
function wrapped(encoded: string, columns: number): string[] {
  const lines = Math.ceil(encoded.length / columns)
  return Array.from({ length: lines }, (_, line) => encoded.slice(line * columns, (line + 1) * columns))
}

function bothAlphabets(encoded: string): string[] {
  return [encoded, encoded.replaceAll('+', '-').replaceAll('/', '_')]
}

const NOT_ASCII = /[\u007f-\uffff]/g
const GO_ESCAPED = /[<>&\u2028\u2029]/g

/**
 * Returns the text as common encoders write it in a JSON string. Returns nothing if the text is not UTF-8.
 */
function jsonTexts(text: Buffer): string[] {
  if (!isUtf8(text)) return []
  const plain = JSON.stringify(text.toString('utf8')).slice(1, -1)
  const ascii = plain.replace(NOT_ASCII, unicodeEscape)
  return [
    plain,
    // Python escapes non-ASCII characters; PHP also escapes slashes.
    ...[ascii, slashesEscaped(ascii)],
    slashesEscaped(plain),
    plain.replace(GO_ESCAPED, unicodeEscape),
  ].map((escaped) => Buffer.from(escaped).toString('latin1'))
}

function slashesEscaped(json: string): string {
  return json.replaceAll('/', '\\/')
}

/** `unit` is one UTF-16 unit. */
function unicodeEscape(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}

interface Encoding {
  readonly encoded: RegExp
  /** Matches the texts that this encoding writes differently from all encodings before it in the list. */
  readonly differs: RegExp
  readonly space: '%20' | '+'
}

const ENCODINGS: readonly Encoding[] = [
  // Most libraries encode a segment or a value like this (RFC 3986, unreserved characters).
  { encoded: /[^A-Za-z0-9._~-]/g, differs: /^/, space: '%20' },
  // encodeURIComponent.
  { encoded: /[^A-Za-z0-9._~!'()*-]/g, differs: /[!'()*]/, space: '%20' },
  // Python's quote.
  { encoded: /[^A-Za-z0-9._~/-]/g, differs: /\//, space: '%20' },
  // The next two are for HTML forms: first Python's quote_plus and Go's QueryEscape, then URLSearchParams and
  // Java's URLEncoder.
  { encoded: /[^A-Za-z0-9._~-]/g, differs: / /, space: '+' },
  { encoded: /[^A-Za-z0-9._*-]/g, differs: /[ ~*]/, space: '+' },
]

/** Encodes bytes, not characters, so the text need not be UTF-8. `text` has a character per byte (latin1). */
function urlTexts(text: string): string[] {
  const differing = ENCODINGS.filter(({ differs }) => differs.test(text))
  return differing.flatMap((encoding) => [encode(text, encoding, UPPER), encode(text, encoding, LOWER)])
}

function encode(text: string, { encoded, space }: Encoding, percent: readonly string[]): string {
  return text.replace(encoded, (byte) => (byte === ' ' ? space : (percent[byte.charCodeAt(0)] ?? '')))
}

const LOWER = Array.from({ length: 256 }, (_, byte) => `%${byte.toString(16).padStart(2, '0')}`)
const UPPER = LOWER.map((written) => written.toUpperCase())

/**
 * Maximum number of texts that are also searched for in their encodings. They cost some 30 ms per execution.
 */
const MAX_TEXTS_WITH_VARIANTS = 1000
const MAX_BYTES_WITH_VARIANTS = 64 * 1024
/** Maximum length of all searched texts in bytes. A whole bundle of certificates has 200 KiB. */
export const MAX_BYTES = 1024 * 1024

export interface NamedValue {
  readonly kind: 'envvar' | 'filesystem'
  readonly name: string
  readonly origin: Origin
  readonly value: Buffer
}

/**
 * The secrets of the connection come first, so that a client's variables cannot use up the limits. For each
 * origin, the shortest secrets come first, so that passwords are still found in every form.
 */
export function secretsAmong(variables: readonly NamedValue[], names: SecretNames): Buffer[] {
  return (['connection', 'client'] as const).flatMap((origin) => {
    const own = variables.filter((variable) => variable.origin === origin)
    return own.flatMap((variable) => textsOf(variable, names)).sort((a, b) => a.length - b.length)
  })
}

/**
 * Returns the texts to search for. The first secrets are searched for in all forms, up to the limits. Later
 * secrets are searched for only as plain text.
 */
export function formsOf(secrets: readonly Buffer[]): Buffer[] {
  let bytes = 0
  return secrets.flatMap((text, count) => {
    bytes += text.length
    if (count < MAX_TEXTS_WITH_VARIANTS && bytes <= MAX_BYTES_WITH_VARIANTS) return variantsOf(text)
    return bytes <= MAX_BYTES ? plainTexts(text) : []
  })
}

export function textsOfSecret(value: Buffer): Buffer[] {
  return value.length > MAX_BYTES ? [] : [...secretTexts(value), ...passwordsInUrl(value)]
}

/** A password inside a URL is secret under any name. */
function textsOf({ kind, name, origin, value }: NamedValue, names: SecretNames): Buffer[] {
  // A longer value is not searched for, so splitting it would only cost time.
  if (value.length > MAX_BYTES) return []
  const isSecret = kind === 'filesystem' ? names.isSecretFile(name) : names.isSecret(name, origin, value)
  return isSecret ? textsOfSecret(value) : passwordsInUrl(value)
}

/** Maximum number of bytes between two characters of a wrapped text: LF or CR LF. */
const MAX_BYTES_BETWEEN = 2

export function isLineBreak(byte: number): boolean {
  return byte === 0x0a || byte === 0x0d
}

/**
 * Offsets of line breaks, in order. They belong to the part of the stream that the state `joined` follows.
 */
export class LineBreaks {
  #offsets: number[] = []

  /** Adds a line break. Returns false at the third in a row, because a wrapped text has at most two. */
  add(offset: number): boolean {
    this.#offsets.push(offset)
    return this.#offsets.at(-1 - MAX_BYTES_BETWEEN) !== offset - MAX_BYTES_BETWEEN
  }

  clear(): void {
    if (this.#offsets.length > 0) this.#offsets = []
  }

  /**
   * Returns the offset where the last `length` bytes before `end` begin. Line breaks do not count as bytes.
   */
  startOf(length: number, end: number): number {
    return end - length - this.#within(end - length)
  }

  /** Forgets the line breaks before the last `length` bytes. Line breaks do not count as bytes. */
  keepWithin(length: number, end: number): void {
    const within = this.#within(end - length)
    if (within < this.#offsets.length) this.#offsets = within === 0 ? [] : this.#offsets.slice(-within)
  }

  /**
   * Returns the number of line breaks in a text. `start` is the offset at which the text would begin without
   * line breaks. Each line break moves the real start back by a byte.
   */
  #within(start: number): number {
    const offsets = this.#offsets
    let [low, high] = [0, offsets.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((offsets[middle] ?? 0) + offsets.length - middle > start) high = middle
      else low = middle + 1
    }
    return offsets.length - low
  }
}
