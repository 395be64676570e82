import { decodeText, type ByteString } from '../../text/byte-string.ts'
import { TemplateError } from '../errors.ts'
import type { Dialect } from '../dialect.ts'
import { Lexer } from './lexer.ts'
import { MAX_TEMPLATE_DEPTH, MAX_TOKENS } from '../limits.ts'
import { describeToken, type Token, type TokenKind } from './token.ts'
import { Variables } from './variables.ts'

/**
 * What all parts of the parser share: the tokens with a way to put them back, the variables declared so far, how
 * deep the parser is, and how it fails. Go gives the line of the last token it has cut as the place of an error,
 * even when that token was put back.
 */
export class Reader {
  readonly variables = new Variables<undefined>()
  /** Enclosing `range` bodies: where `break` and `continue` are allowed. */
  rangeDepth = 0
  /** Line of the delimiter of the action that is being read, or 0. */
  actionLine = 0
  readonly #lexer: Lexer
  readonly #returned: Token[] = []
  #lastLine = 1
  #tokens = 0
  #depth = 0

  readonly dialect: Dialect

  constructor(source: ByteString, dialect: Dialect) {
    this.dialect = dialect
    this.#lexer = new Lexer(source)
    this.variables.declare('$', undefined)
  }

  next(): Token {
    const returned = this.#returned.pop()
    if (returned !== undefined) return returned
    const token = this.#lexer.next()
    if (++this.#tokens > MAX_TOKENS) {
      throw new TemplateError('parse', `the template has more than ${MAX_TOKENS} words and texts: shorten it`)
    }
    this.#lastLine = token.line
    return token
  }

  nextNonSpace(): Token {
    for (;;) {
      const token = this.next()
      if (token.kind !== 'space') return token
    }
  }

  /** Puts a token back; of several, the one to be read first comes last. */
  putBack(token: Token): void {
    this.#returned.push(token)
  }

  peek(): Token {
    const token = this.next()
    this.putBack(token)
    return token
  }

  /** The next token that is no space. The spaces before it are gone. */
  peekNonSpace(): Token {
    const token = this.nextNonSpace()
    this.putBack(token)
    return token
  }

  expect(kind: TokenKind, context: string): Token {
    const token = this.nextNonSpace()
    if (token.kind !== kind) this.unexpected(token, context)
    return token
  }

  /** Reads something one level deeper. `complaint` is the error when there are too many levels. */
  nested<T>(complaint: string, read: () => T): T {
    if (this.#depth >= MAX_TEMPLATE_DEPTH) this.fail(complaint)
    this.#depth++
    const result = read()
    this.#depth--
    return result
  }

  unexpected(token: Token, context: string): never {
    if (token.kind === 'error') this.fail(token.text + this.#startOfAction(token))
    this.fail(`unexpected ${describeToken(token)} in ${context}`)
  }

  fail(message: ByteString): never {
    throw new TemplateError(
      'parse',
      decodeText(`template: ${this.dialect.name}:${this.#lastLine}: ${message}`),
    )
  }

  /** Where the action with a lexical error began, when that is another line. */
  #startOfAction(token: Token): string {
    if (this.actionLine === 0 || this.actionLine === token.line) return ''
    return `${token.text.endsWith(' action') ? '' : ' in action'} started at :${this.actionLine}`
  }
}
