import { type ByteString, decodeText } from '../../text/byte-string.ts'
import { MAX_TEMPLATE_DEPTH, MAX_TOKENS, TemplateError } from '../errors.ts'
import type { Dialect } from '../run/function.ts'
import { describeToken, Lexer, type Token, type TokenKind } from './lexer.ts'

interface Slot<T> {
  readonly name: ByteString
  value: T
}

/** The visible variables, innermost last. `find` is O(1), because a template may have 100,000 variables. */
export class Variables<T> {
  readonly #slots: Slot<T>[] = []
  readonly #byName = new Map<ByteString, Slot<T>[]>()

  declare(name: ByteString, value: T): void {
    const slot = { name, value }
    this.#slots.push(slot)
    const same = this.#byName.get(name)
    if (same === undefined) this.#byName.set(name, [slot])
    else same.push(slot)
  }

  /** Returns the innermost variable of a name, to which the caller may assign. */
  find(name: ByteString): { value: T } | undefined {
    return this.#byName.get(name)?.at(-1)
  }

  /** Returns the variable declared `distance` declarations ago; 1 is the last declaration. */
  recent(distance: number): { value: T } | undefined {
    return this.#slots.at(-distance)
  }

  mark(): number {
    return this.#slots.length
  }

  release(mark: number): void {
    while (this.#slots.length > mark) {
      const slot = this.#slots.pop()
      if (slot !== undefined) this.#byName.get(slot.name)?.pop()
    }
  }
}

/** State of the parser. As in Go, an error names the line of the last token, even if it was put back. */
export class Reader {
  readonly variables = new Variables<undefined>()
  /** Number of enclosing `range` bodies, where `break` and `continue` are allowed. */
  rangeDepth = 0
  /** Line where the current action begins, or 0. */
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
      throw new TemplateError(
        'parse',
        `the template has more than ${MAX_TOKENS} words and texts; shorten the template`,
      )
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

  /** Puts a token back. If several tokens are put back, begin with the last one. */
  putBack(token: Token): void {
    this.#returned.push(token)
  }

  peek(): Token {
    const token = this.next()
    this.putBack(token)
    return token
  }

  /** Returns the next token that is not a space, without reading it. Spaces before it are dropped. */
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

  /** Reads one level deeper. `complaint` is the error if there are too many levels. */
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

  /** Returns a text with the line of the action, if the error is on another line. */
  #startOfAction(token: Token): string {
    if (this.actionLine === 0 || this.actionLine === token.line) return ''
    return `${token.text.endsWith(' action') ? '' : ' in action'} started at :${this.actionLine}`
  }
}
