import { type ByteString, firstRunes, runeAt } from '../../text/byte-string.ts'
import { describeRune, isAlphanumeric, isSpace, quote } from '../../text/quote.ts'

const KEYWORDS = [
  'block',
  'break',
  'continue',
  'define',
  'else',
  'end',
  'if',
  'nil',
  'range',
  'template',
  'with',
] as const
type Keyword = (typeof KEYWORDS)[number]

export type TokenKind =
  | Keyword
  | 'assign'
  | 'bool'
  | 'character'
  | 'complex'
  | 'declare'
  | 'dot'
  | 'eof'
  | 'error'
  | 'field'
  | 'identifier'
  | 'leftDelimiter'
  | 'leftParenthesis'
  | 'number'
  | 'pipe'
  | 'punctuation'
  | 'rawString'
  | 'rightDelimiter'
  | 'rightParenthesis'
  | 'space'
  | 'string'
  | 'text'
  | 'variable'

/** `at` is the offset of the first byte, `line` its line from 1. An error token's text is the message. */
export interface Token {
  readonly kind: TokenKind
  readonly at: number
  readonly line: number
  readonly text: ByteString
}

function wordKind(word: ByteString): TokenKind {
  if (word === 'true' || word === 'false') return 'bool'
  return KEYWORDS.find((keyword) => keyword === word) ?? 'identifier'
}

/** If a token has more bytes than this, an error shows only this many of its code points. */
const SHOWN = 10

/** Formats a token like Go's errors: a keyword as `<range>`, others in quotes. Not for `eof` and `error`. */
export function describeToken(token: Token): ByteString {
  if (token.kind === 'dot' || KEYWORDS.some((keyword) => keyword === token.kind)) return `<${token.text}>`
  if (token.text.length > SHOWN) return `${quote(firstRunes(token.text, SHOWN))}...`
  return quote(token.text)
}

/** `ok` tells whether the scanned text is complete. */
interface Scan {
  readonly end: number
  readonly ok: boolean
}

/** Matches anything like a number; `readNumber` checks whether it is valid. */
const NUMBER =
  /[+-]?(?:0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]*)?|0[oO][0-7_]*(?:\.[0-7_]*)?|0[bB][01_]*(?:\.[01_]*)?|[0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9_]*)?)i?/y

/** A letter or digit after the number makes it invalid, and is skipped for the error text. */
function scanNumber(source: ByteString, at: number): Scan {
  NUMBER.lastIndex = at
  const end = at + (NUMBER.exec(source)?.[0].length ?? 0)
  if (end >= source.length) return { end, ok: true }
  const rune = runeAt(source, end)
  return isAlphanumeric(rune.value) ? { end: end + rune.width, ok: false } : { end, ok: true }
}

/** Skips a constant whose opening quote is before `at`. A line break makes it invalid. */
function scanQuoted(source: ByteString, at: number, mark: string): Scan {
  for (let end = at; end < source.length; end++) {
    const character = source.charAt(end)
    if (character === '\n') break
    if (character === mark) return { end: end + 1, ok: true }
    if (character === '\\' && source.charAt(++end) === '\n') break
  }
  return { end: source.length, ok: false }
}

function scanWord(source: ByteString, at: number): number {
  let end = at
  while (end < source.length) {
    const rune = runeAt(source, end)
    if (!isAlphanumeric(rune.value)) break
    end += rune.width
  }
  return end
}

function scanSpace(source: ByteString, at: number): number {
  let end = at
  while (end < source.length && isSpace(source.charCodeAt(end))) end++
  return end
}

/** Returns `end` without the white space before it. */
function trimmedEnd(source: ByteString, start: number, end: number): number {
  let trimmed = end
  while (trimmed > start && isSpace(source.charCodeAt(trimmed - 1))) trimmed--
  return trimmed
}

/** Whether a name, field or variable may end here. */
function isTerminated(source: ByteString, at: number): boolean {
  if (at >= source.length || isSpace(source.charCodeAt(at))) return true
  return '.,|:)('.includes(source.charAt(at)) || source.startsWith('}}', at)
}

const LEFT = '{{'
const RIGHT = '}}'
const COMMENT_LEFT = '/*'
const COMMENT_RIGHT = '*/'
/** Length of a trim marker, which is a minus and one white space. */
const TRIM_LENGTH = 2

/** A comment of the template: its text between the markers, and the offset of the text. */
export interface Comment {
  readonly text: ByteString
  readonly at: number
}

/**
 * Cuts a template into tokens in linear time. Returns `eof` after an error or at the end. Comments are no tokens:
 * they are collected aside.
 */
export class Lexer {
  readonly comments: Comment[] = []
  readonly #source: ByteString
  #at = 0
  #insideAction = false
  #parentheses = 0
  #ended = false
  #line = 1
  #lineBreak: number

  constructor(source: ByteString) {
    this.#source = source
    this.#lineBreak = lineBreakFrom(source, 0)
  }

  next(): Token {
    if (this.#ended) return this.#token('eof', this.#at)
    return this.#insideAction ? this.#actionToken() : this.#textToken()
  }

  #textToken(): Token {
    for (;;) {
      const start = this.#at
      const open = this.#source.indexOf(LEFT, start)
      if (open < 0) return this.#lastText(start)
      const end = this.#hasLeftTrim(open + LEFT.length) ? trimmedEnd(this.#source, start, open) : open
      this.#at = open
      if (end > start) return this.#token('text', start, end)
      if (!this.#atComment()) return this.#leftDelimiter()
      const fault = this.#skipComment()
      if (fault !== undefined) return fault
    }
  }

  #lastText(start: number): Token {
    this.#at = this.#source.length
    return this.#token(start === this.#at ? 'eof' : 'text', start)
  }

  #leftDelimiter(): Token {
    const start = this.#at
    const end = start + LEFT.length
    const token = this.#token('leftDelimiter', start, end)
    this.#at = this.#hasLeftTrim(end) ? end + TRIM_LENGTH : end
    this.#insideAction = true
    this.#parentheses = 0
    return token
  }

  #atComment(): boolean {
    return this.#source.startsWith(COMMENT_LEFT, this.#afterLeftDelimiter())
  }

  #afterLeftDelimiter(): number {
    const at = this.#at + LEFT.length
    return this.#hasLeftTrim(at) ? at + TRIM_LENGTH : at
  }

  /** Skips a comment and its right delimiter. Returns a token only when the comment is broken. */
  #skipComment(): Token | undefined {
    const start = this.#afterLeftDelimiter()
    const close = this.#source.indexOf(COMMENT_RIGHT, start + COMMENT_LEFT.length)
    if (close < 0) return this.#fault('unclosed comment', start)
    const delimiter = this.#rightDelimiterAt(close + COMMENT_RIGHT.length)
    if (delimiter === undefined) return this.#fault('comment ends before closing delimiter', start)
    const at = start + COMMENT_LEFT.length
    this.comments.push({ text: this.#source.slice(at, close), at })
    this.#at = delimiter.resume
    return undefined
  }

  #hasLeftTrim(at: number): boolean {
    return this.#source.charAt(at) === '-' && isSpace(this.#source.charCodeAt(at + 1))
  }

  /** Returns where the braces of a right delimiter start, and where to continue, after any trimmed space. */
  #rightDelimiterAt(at: number): { readonly braces: number; readonly resume: number } | undefined {
    const trims = isSpace(this.#source.charCodeAt(at)) && this.#source.startsWith(`-${RIGHT}`, at + 1)
    if (!trims && !this.#source.startsWith(RIGHT, at)) return undefined
    const braces = trims ? at + TRIM_LENGTH : at
    const end = braces + RIGHT.length
    return { braces, resume: trims ? scanSpace(this.#source, end) : end }
  }

  #actionToken(): Token {
    const start = this.#at
    const delimiter = this.#rightDelimiterAt(start)
    if (delimiter !== undefined) {
      if (this.#parentheses > 0) return this.#fault('unclosed left paren', start)
      this.#insideAction = false
      this.#at = delimiter.resume
      return this.#token('rightDelimiter', delimiter.braces, delimiter.braces + RIGHT.length)
    }
    if (start >= this.#source.length) return this.#fault('unclosed action', start)
    if (isSpace(this.#source.charCodeAt(start))) return this.#space(start)
    return this.#sign(start) ?? this.#literal(start)
  }

  /** Reads white space. The last character is left out if it belongs to a right delimiter that trims. */
  #space(start: number): Token {
    const end = scanSpace(this.#source, start)
    const last = end - 1
    return this.#advance(
      'space',
      start,
      this.#rightDelimiterAt(last) !== undefined && last > start ? last : end,
    )
  }

  #sign(start: number): Token | undefined {
    switch (this.#source.charAt(start)) {
      case '=':
        return this.#advance('assign', start, start + 1)
      case '|':
        return this.#advance('pipe', start, start + 1)
      case ':':
        if (this.#source.charAt(start + 1) !== '=') return this.#fault('expected :=', start)
        return this.#advance('declare', start, start + 2)
      case '(':
        this.#parentheses++
        return this.#advance('leftParenthesis', start, start + 1)
      case ')':
        if (this.#parentheses-- === 0) return this.#fault('unexpected right paren', start)
        return this.#advance('rightParenthesis', start, start + 1)
      default:
        return undefined
    }
  }

  #literal(start: number): Token {
    switch (this.#source.charAt(start)) {
      case '"':
        return this.#quoted('string', start, '"', 'unterminated quoted string')
      case "'":
        return this.#quoted('character', start, "'", 'unterminated character constant')
      case '`':
        return this.#rawString(start)
      case '$':
        return this.#named('variable', start)
      case '.':
        return this.#dotStartsNumber(start) ? this.#number(start) : this.#field(start)
      default:
        return this.#wordOrNumber(start)
    }
  }

  #quoted(kind: TokenKind, start: number, mark: string, complaint: string): Token {
    const { end, ok } = scanQuoted(this.#source, start + 1, mark)
    return ok ? this.#advance(kind, start, end) : this.#fault(complaint, start)
  }

  #rawString(start: number): Token {
    const close = this.#source.indexOf('`', start + 1)
    if (close < 0) return this.#fault('unterminated raw quoted string', start)
    return this.#advance('rawString', start, close + 1)
  }

  #field(start: number): Token {
    return isTerminated(this.#source, start + 1)
      ? this.#advance('dot', start, start + 1)
      : this.#named('field', start)
  }

  #named(kind: TokenKind, start: number): Token {
    return this.#terminated(kind, start, scanWord(this.#source, start + 1))
  }

  #wordOrNumber(start: number): Token {
    if ('+-'.includes(this.#source.charAt(start)) || this.#startsNumber(start)) return this.#number(start)
    const { value, width } = runeAt(this.#source, start)
    if (isAlphanumeric(value)) {
      const end = scanWord(this.#source, start)
      return this.#terminated(wordKind(this.#source.slice(start, end)), start, end)
    }
    if (value < 0x80 && value > 0x20 && value !== 0x7f)
      return this.#advance('punctuation', start, start + width)
    return this.#fault(`unrecognized character in action: ${describeRune(value)}`, start)
  }

  #terminated(kind: TokenKind, start: number, end: number): Token {
    if (isTerminated(this.#source, end)) return this.#advance(kind, start, end)
    return this.#fault(`bad character ${describeRune(runeAt(this.#source, end).value)}`, start)
  }

  /** Go reads a dot as a number if it is the last byte of a template. */
  #dotStartsNumber(at: number): boolean {
    return at + 1 >= this.#source.length || this.#startsNumber(at + 1)
  }

  #startsNumber(at: number): boolean {
    const character = this.#source.charAt(at)
    return character >= '0' && character <= '9'
  }

  /** Reads a number. A complex number has two parts with a sign in between, and the second ends with `i`. */
  #number(start: number): Token {
    const first = scanNumber(this.#source, start)
    if (!first.ok) return this.#badNumber(start, first.end)
    const sign = this.#source.charAt(first.end)
    if (sign !== '+' && sign !== '-') return this.#advance('number', start, first.end)
    const second = scanNumber(this.#source, first.end)
    const isComplex = second.ok && this.#source.charAt(second.end - 1) === 'i'
    return isComplex ? this.#advance('complex', start, second.end) : this.#badNumber(start, second.end)
  }

  #badNumber(start: number, end: number): Token {
    return this.#fault(`bad number syntax: ${quote(this.#source.slice(start, end))}`, start)
  }

  #advance(kind: TokenKind, start: number, end: number): Token {
    this.#at = end
    return this.#token(kind, start, end)
  }

  #fault(message: ByteString, at: number): Token {
    this.#ended = true
    return { kind: 'error', at, line: this.#lineOf(at), text: message }
  }

  #token(kind: TokenKind, start: number, end = this.#at): Token {
    return { kind, at: start, line: this.#lineOf(start), text: this.#source.slice(start, end) }
  }

  /** Returns the line of an offset. Continues from the previous token, because tokens are read in order. */
  #lineOf(at: number): number {
    while (this.#lineBreak < at) {
      this.#line++
      this.#lineBreak = lineBreakFrom(this.#source, this.#lineBreak + 1)
    }
    return this.#line
  }
}

function lineBreakFrom(source: ByteString, at: number): number {
  const lineBreak = source.indexOf('\n', at)
  return lineBreak < 0 ? Infinity : lineBreak
}
