// New passwords in recorded SQL (`create role r password 'new'`) are replaced. The record is there to show what
// was executed, so a user must not be able to hide SQL in a literal that only looks like a password:
//
// - The text is cut into tokens exactly as the server cuts it. Only the content of one literal is replaced.
// - A literal is a password by the tokens before it, in a statement that begins as one that sets passwords. These
//   statements execute none of their literals. (A `password '...'` elsewhere may be a cast, and its value SQL.)
// - Where the server's settings decide how a text is read (does a backslash escape a quote, which encoding has
//   the client, is the body of `/*! */` skipped), nothing behind that place is replaced, and of a password that
//   begins there only the part before its first quote.

export type SqlDialect = 'postgres' | 'mysql'

export const HIDDEN = '[REDACTED]'
/** Texts without any of these words are not read. */
const SUSPICIOUS = /password|identified/i

interface Range {
  readonly from: number
  readonly to: number
}

/** @param isCut whether the end of the text is missing */
export function hidePasswords(text: string, dialect: SqlDialect, isCut: boolean): string {
  if (!SUSPICIOUS.test(text)) return text
  const found = new Reader(text, dialect, isCut).passwords()
  const pieces: string[] = []
  let at = 0
  for (const { from, to } of found) {
    pieces.push(text.slice(at, from), HIDDEN)
    at = to
  }
  return pieces.join('') + text.slice(at)
}

type Kind = 'account' | 'change' | 'other' | 'routine' | 'server' | 'set' | 'user'

/** How statements begin in which passwords or bodies are looked for. */
const BEGINNINGS: Readonly<Record<SqlDialect, readonly (readonly [kind: Kind, words: RegExp])[]>> = {
  postgres: [
    ['account', /^(?:CREATE|ALTER) (?:ROLE|USER|GROUP|SERVER|FOREIGN DATA)$/],
    ['routine', /^(?:DO|CREATE (?:OR REPLACE )?(?:FUNCTION|PROCEDURE))$/],
  ],
  mysql: [
    ['user', /^(?:(?:CREATE|CREATE OR REPLACE|ALTER) USER|GRANT)$/],
    ['set', /^SET PASSWORD$/],
    ['server', /^(?:CREATE|CREATE OR REPLACE|ALTER) SERVER$/],
    ['change', /^CHANGE (?:MASTER|REPLICATION)$/],
  ],
}
const MAX_WORDS = 4
/** A statement of a routine's body can follow these words. */
const OPENERS: Readonly<Record<SqlDialect, ReadonlySet<string>>> = {
  postgres: new Set(['BEGIN', 'THEN', 'ELSE', 'LOOP']),
  mysql: new Set(['BEGIN', 'THEN', 'ELSE', 'LOOP', 'DO', 'REPEAT']),
}
const HASHES: ReadonlySet<string> = new Set(['PASSWORD', 'OLD_PASSWORD'])
/** Bodies in other languages have other tokens, and are not read. */
const SQL_LANGUAGES: ReadonlySet<string> = new Set(['SQL', 'PLPGSQL'])

const WORD: Readonly<Record<SqlDialect, RegExp>> = {
  postgres: /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*|\d+/y,
  mysql: /[\w$\u0080-\uffff]+/y,
}
const DOLLAR_TAG = /\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/y
const CONDITIONAL = /\/\*M?!(?:\d{5,6})?/y

/** One statement, as far as it has been read. */
interface Statement {
  readonly kind: Kind | undefined
  /** The first words, until the kind is known. */
  readonly words: string
  /** The last tokens: words in upper case, signs as they are, `''` for a literal or a quoted name. */
  readonly last: string
  readonly beforeLast: string
  readonly isIdentified: boolean
  readonly assignments: number
  readonly languages: readonly string[]
}

const BEGUN: Statement = {
  ...{ kind: undefined, words: '', last: ';', beforeLast: ';' },
  ...{ isIdentified: false, assignments: 0, languages: [] },
}
const LITERAL = "''"
const PASSWORD_LITERAL = "'password'"

/** Whether a backslash escapes: `maybe` where the settings of the server decide. */
type Backslashes = 'always' | 'maybe' | 'never'

interface Quoted {
  /** The content, without quotes. */
  readonly content: Range
  readonly end: number
  readonly isSure: boolean
}

class Reader {
  readonly #text: string
  readonly #dialect: SqlDialect
  readonly #isCut: boolean
  readonly #found: Range[] = []
  /** Bodies in dollar quotes of the current statement. */
  #bodies: Range[] = []
  #at = 0
  #statement = BEGUN
  /** The end of the conditional comment around this place, and the statement before that comment. */
  #conditional: { readonly end: number; readonly outside: Statement } | undefined

  constructor(text: string, dialect: SqlDialect, isCut: boolean) {
    this.#text = text
    this.#dialect = dialect
    this.#isCut = isCut
  }

  passwords(): Range[] {
    const { length } = this.#text
    while (this.#at < length) if (!this.#token()) return this.#found
    this.#readBodies(this.#isCut)
    return this.#found
  }

  /** Returns false if it is not sure how the text goes on. */
  #token(): boolean {
    const char = this.#text.charAt(this.#at)
    if (this.#conditional?.end === this.#at) return this.#leaveConditional()
    if (/\s/.test(char) && char < '\u0080') return this.#skipTo(this.#at + 1)
    if (this.#startsComment()) return this.#comment()
    if (char === "'" || char === '"' || (char === '`' && this.#dialect === 'mysql')) return this.#quoted(char)
    if (char === '$' && this.#dialect === 'postgres') return this.#dollar()
    const word = this.#match(WORD[this.#dialect])
    if (word === undefined) return this.#sign(char)
    return this.#word(word)
  }

  #skipTo(at: number): true {
    this.#at = at
    return true
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    return pattern.exec(this.#text)?.[0]
  }

  #startsComment(): boolean {
    const [text, at] = [this.#text, this.#at]
    if (text.startsWith('/*', at)) return true
    if (this.#dialect === 'postgres') return text.startsWith('--', at)
    // MySQL reads `--x` as two signs.
    return text[at] === '#' || (text.startsWith('--', at) && /^[^!-~]/.test(text[at + 2] ?? ' '))
  }

  #comment(): boolean {
    const isMysql = this.#dialect === 'mysql'
    // Whether the line or the conditional comment ends first, depends on whether its body is skipped.
    if (this.#conditional !== undefined) return false
    // In some encodings of MySQL's clients such a character is a space, in others a letter.
    if (isMysql && this.#text[this.#at] === '-' && this.#isWide(this.#at + 2)) return false
    if (!this.#text.startsWith('/*', this.#at)) return this.#skipTo(this.#lineEnd())
    const opening = isMysql ? this.#match(CONDITIONAL) : undefined
    if (opening !== undefined) return this.#enterConditional(opening.length)
    return this.#skipTo(isMysql ? after(this.#text, '*/', this.#at + 2) : this.#nestedEnd())
  }

  #lineEnd(): number {
    const end = this.#dialect === 'postgres' ? /[\n\r]/g : /\n/g
    end.lastIndex = this.#at
    return end.exec(this.#text)?.index ?? this.#text.length
  }

  #nestedEnd(): number {
    const marks = /\/\*|\*\//g
    marks.lastIndex = this.#at
    let depth = 0
    for (let mark = marks.exec(this.#text); mark !== null; mark = marks.exec(this.#text)) {
      depth += mark[0] === '/*' ? 1 : -1
      if (depth === 0) return marks.lastIndex
    }
    return this.#text.length
  }

  /** The body may be executed or skipped, by the server's version. It must not change what is outside. */
  #enterConditional(length: number): boolean {
    const end = this.#text.indexOf('*/', this.#at + length)
    // A skipped body may contain a comment, whose end is then not the end of the body.
    if (end < 0 || this.#text.slice(this.#at + 2, end).includes('/*')) return false
    this.#conditional = { end, outside: this.#statement }
    return this.#skipTo(this.#at + length)
  }

  #leaveConditional(): true {
    if (this.#conditional !== undefined) this.#statement = this.#conditional.outside
    this.#conditional = undefined
    return this.#skipTo(this.#at + 2)
  }

  #quoted(quote: string): boolean {
    const isName = quote === '`' || (quote === '"' && this.#dialect === 'postgres')
    const { content, end, isSure } = quotedAt(this.#text, this.#at, isName ? 'never' : this.#backslashes())
    // In some encodings of MySQL's clients a backtick is the second byte of a character.
    const isTorn = quote === '`' && (this.#isWide(this.#at - 1) || this.#isWide(content.to - 1))
    const leaves = this.#conditional !== undefined && end > this.#conditional.end
    if (leaves || isTorn) return false
    this.#at = end
    if (isName) this.#name(content)
    else this.#literal(content, true)
    return isSure
  }

  #isWide(at: number): boolean {
    return this.#text.charCodeAt(at) >= 0x80
  }

  #backslashes(): Backslashes {
    if (this.#dialect === 'mysql') return 'maybe'
    const [, prefix = ''] =
      /(?:^|[^\w$\u0080-\uffff])(U&|[EBX])$/i.exec(this.#text.slice(Math.max(0, this.#at - 3), this.#at)) ??
      []
    if (prefix === '') return 'maybe'
    return prefix.toUpperCase() === 'E' ? 'always' : 'never'
  }

  #dollar(): boolean {
    const tag = this.#match(DOLLAR_TAG)
    if (tag === undefined) return this.#skipTo(this.#at + 1)
    // Different bytes of other encodings may be the same text here.
    if (!isAscii(tag)) return false
    const from = this.#at + tag.length
    const close = this.#text.indexOf(tag, from)
    const content = { from, to: close < 0 ? this.#text.length : close }
    this.#at = close < 0 ? content.to : close + tag.length
    const { kind, words, last } = this.#statement
    if (kind === 'routine' && (words === 'DO' || last === 'AS')) this.#bodies.push(content)
    this.#literal(content, false)
    return true
  }

  #name({ from, to }: Range): void {
    const name = this.#text.slice(from, to)
    // An option of PostgreSQL may have a quoted name.
    this.#next(name === 'password' ? 'PASSWORD' : LITERAL, name)
  }

  /** @param mayGoOn whether the literal may be continued by another literal */
  #literal(content: Range, mayGoOn: boolean): void {
    const { last } = this.#statement
    const isHidden = isPassword(this.#statement) || (mayGoOn && last === PASSWORD_LITERAL)
    if (isHidden) this.#found.push(content)
    this.#next(isHidden ? PASSWORD_LITERAL : LITERAL, this.#text.slice(content.from, content.to))
  }

  #sign(char: string): true {
    this.#at += 1
    if (char === ';') {
      this.#readBodies(false)
      this.#statement = BEGUN
    } else this.#next(char)
    return true
  }

  #word(written: string): true {
    this.#at += written.length
    const { kind, words } = this.#statement
    // The prefix of a literal is a part of it.
    if (this.#text[this.#at] === "'" && /^[EBXN]$/i.test(written)) return true
    if (this.#dialect === 'postgres' && /^U$/i.test(written) && this.#text.startsWith("&'", this.#at))
      return this.#skipTo(this.#at + 1)
    const word = isAscii(written) ? written.toUpperCase() : written
    if (kind === undefined) return this.#begin(words === '' ? word : `${words} ${word}`, word)
    this.#next(word, word)
    if (kind === 'other' && OPENERS[this.#dialect].has(word)) this.#statement = BEGUN
    return true
  }

  #begin(words: string, word: string): true {
    const known = BEGINNINGS[this.#dialect].find(([, pattern]) => pattern.test(words))
    const isOver = words.split(' ').length >= MAX_WORDS
    this.#next(word)
    this.#statement = { ...this.#statement, words, kind: known?.[0] ?? (isOver ? 'other' : undefined) }
    const opens = known === undefined && OPENERS[this.#dialect].has(word)
    if (opens) this.#statement = BEGUN
    return true
  }

  /** @param content of a word, name or literal */
  #next(token: string, content = ''): void {
    const { kind, words, last, isIdentified, assignments, languages } = this.#statement
    this.#statement = {
      ...{ words, last: token, beforeLast: last },
      // A statement that begins with other tokens than words is none of those that are looked for.
      kind: kind ?? (/^\w/.test(token) ? undefined : 'other'),
      isIdentified: isIdentified || token === 'IDENTIFIED',
      assignments: assignments + (token === '=' ? 1 : 0),
      languages: last === 'LANGUAGE' ? [...languages, content.toUpperCase()] : languages,
    }
  }

  /** The language of a body may be named behind it. */
  #readBodies(isCut: boolean): void {
    const { kind, words, languages } = this.#statement
    const bodies = this.#bodies
    this.#bodies = []
    if (kind !== 'routine' || !languages.every((one) => SQL_LANGUAGES.has(one))) return
    if (languages.length === 0 && (isCut || words !== 'DO')) return
    for (const { from, to } of bodies)
      for (const inner of new Reader(this.#text.slice(from, to), this.#dialect, false).passwords())
        this.#found.push({ from: from + inner.from, to: from + inner.to })
  }
}

function isPassword(statement: Statement): boolean {
  const { kind, last, beforeLast, isIdentified, assignments } = statement
  const isHashed = last === '(' && HASHES.has(beforeLast)
  switch (kind) {
    case 'account':
    case 'server':
      return last === 'PASSWORD'
    case 'user': {
      if (last === 'REPLACE' || (last === 'PASSWORD' && beforeLast === 'BY')) return true
      return isIdentified && (isHashed || last === 'BY' || last === 'AS' || last === 'USING')
    }
    case 'set':
      return last === 'REPLACE' || (assignments === 1 && (last === '=' || isHashed))
    case 'change':
      return last === '=' && beforeLast.endsWith('_PASSWORD')
    default:
      return false
  }
}

function quotedAt(text: string, start: number, backslashes: Backslashes): Quoted {
  const quote = text.charAt(start)
  const from = start + 1
  for (let at = from; at < text.length; at += 1) {
    const char = text.charAt(at)
    if (char === quote && text[at + 1] === quote) at += 1
    else if (char === quote) return { content: { from, to: at }, end: at + 1, isSure: true }
    else if (char === '\\' && backslashes !== 'never') {
      // In some encodings of clients a backslash is the second byte of a character.
      const isWide = at > from && text.charCodeAt(at - 1) >= 0x80
      if (isWide || (backslashes === 'maybe' && text[at + 1] === quote)) return shortest(text, start)
      at += 1
    }
  }
  return { content: { from, to: text.length }, end: text.length, isSure: true }
}

/** Up to the first quote: the end by the shortest of all readings, or earlier. */
function shortest(text: string, start: number): Quoted {
  const end = after(text, text.charAt(start), start + 1)
  const isClosed = end > start + 1 && text[end - 1] === text[start]
  return { content: { from: start + 1, to: isClosed ? end - 1 : end }, end, isSure: false }
}

function after(text: string, mark: string, from: number): number {
  const at = text.indexOf(mark, from)
  return at < 0 ? text.length : at + mark.length
}

function isAscii(text: string): boolean {
  return !/[^\0-\u007f]/.test(text)
}
