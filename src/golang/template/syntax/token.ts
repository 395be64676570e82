import { firstRunes, type ByteString } from '../../text/byte-string.ts'
import { quote } from '../../text/quote.ts'

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

/** A piece of a template. `at` is its first byte, `line` the line of that byte from 1; an error's text is its message. */
export interface Token {
  readonly kind: TokenKind
  readonly at: number
  readonly line: number
  readonly text: ByteString
}

export function wordKind(word: ByteString): TokenKind {
  if (word === 'true' || word === 'false') return 'bool'
  return KEYWORDS.find((keyword) => keyword === word) ?? 'identifier'
}

/** Longest token in bytes that an error shows whole, and the code points it shows of a longer one. */
const SHOWN = 10

/** A token as Go's errors show it: `<range>` for a keyword, else quoted and cut. Never for `eof` or `error`. */
export function describeToken(token: Token): ByteString {
  if (token.kind === 'dot' || KEYWORDS.some((keyword) => keyword === token.kind)) return `<${token.text}>`
  if (token.text.length > SHOWN) return `${quote(firstRunes(token.text, SHOWN))}...`
  return quote(token.text)
}
