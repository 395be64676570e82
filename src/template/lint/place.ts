export type Language = 'shell' | 'sql' | 'python'

/** `unknown` means that the text before the place is not fully understood. */
export type PlaceKind = 'plain' | 'single' | 'double' | 'comment' | 'unknown'

export interface TextPlace {
  readonly kind: PlaceKind
  /** The text before the place on its line, with `x` for each earlier parameter. */
  readonly before: string
  /** In SQL, whether only blanks are before the place in its statement. */
  readonly isStatementStart: boolean
}

/** `length` is the length of the text that was read. */
interface Step {
  readonly length: number
  readonly state: State
}

/**
 * The enclosures of a place, with the innermost last. The sign of a quote is its closing mark. The other
 * signs are:
 * - `(` for a command in a string
 * - `#` for a comment up to the end of the line
 * - `*` for a comment of SQL
 * - `\` for a command of psql
 * - `?` for text that is not understood, up to the end of the script
 */
type State = readonly string[]

interface Before {
  readonly line: string
  readonly statement: string
}

const UNKNOWN: State = ['?']

/** Signs of comments and of psql's commands. Their text is not a part of a statement. */
const ASIDE = new Set(['#', '*', '\\'])

/** Matches a sign at the end of a text that belongs to the next word in at least one of the languages. */
const BINDING = /[-$:@\\]$/

/** Maximum number of characters that are kept of a line and of a statement. */
const KEPT = 2_000

/** Follows the quotes and comments of a script that is read in pieces. */
export class Cursor {
  readonly #language: Language | undefined
  #state: State
  #line = ''
  #statement = ''

  constructor(language: Language | undefined, from?: Cursor) {
    this.#language = language
    this.#state = from === undefined ? (language === undefined ? UNKNOWN : []) : from.#state
    this.#line = from === undefined ? '' : from.#line
    this.#statement = from === undefined ? '' : from.#statement
  }

  fork(): Cursor {
    return new Cursor(this.#language, this)
  }

  /** Joins several branches. The state is unknown when the branches end in different states. */
  join(others: readonly Cursor[]): void {
    const marks = this.#state.join('\n')
    if (others.some((other) => other.#state.join('\n') !== marks)) this.#state = UNKNOWN
    this.#line = joinedLine([this.#line, ...others.map((other) => other.#line)])
    if (others.some((other) => other.#statement.trim() === '')) this.#statement = ''
  }

  read(text: string): void {
    for (let at = 0; at < text.length;) {
      const { length, state } = this.#step(text, at)
      this.#remember(text.slice(at, at + length), state)
      this.#state = state
      at += length
    }
  }

  /** Skips a parameter as one harmless piece of text. */
  skip(): void {
    this.#remember('x', this.#state)
  }

  lose(): void {
    this.#state = UNKNOWN
    this.#line = ''
  }

  get place(): TextPlace {
    return {
      kind: this.#kind(),
      before: this.#line,
      isStatementStart: this.#statement.trim() === '',
    }
  }

  #kind(): PlaceKind {
    const inner = this.#state.at(-1)
    if (inner === undefined || inner.startsWith('(')) return 'plain'
    if (inner === "'" || inner === "'''") return 'single'
    if (inner === '"' || inner === '"""') return 'double'
    return inner === '#' || inner === '*' ? 'comment' : 'unknown'
  }

  #step(text: string, at: number): Step {
    if (this.#state.at(-1) === '?') return { length: text.length - at, state: UNKNOWN }
    if (this.#language === 'shell') return shellStep(this.#state, text, at, this.#line)
    return this.#language === 'sql'
      ? sqlStep(this.#state, text, at, { line: this.#line, statement: this.#statement })
      : pythonStep(this.#state, text, at)
  }

  #remember(read: string, next: State): void {
    // A backslash continues the line, and quoted text belongs to the command before it.
    const endsLine = read.endsWith('\n') && read !== '\\\n' && next.length === 0
    this.#line = endsLine ? '' : kept(this.#line + read)
    const isAside = ASIDE.has(this.#state.at(-1) ?? '') || ASIDE.has(next.at(-1) ?? '')
    // A command of psql may have sent the statement that is before the command.
    if (this.#state.at(-1) === '\\') this.#statement = ''
    else if (!isAside) this.#statement = kept(this.#statement + read)
    if (next.length === 0 && read.endsWith(';')) this.#statement = ''
  }
}

/**
 * Shortens a long text to its last KEPT characters. The first match of SECOND_READER in the dropped part is
 * kept before them.
 */
function kept(text: string): string {
  if (text.length < 2 * KEPT) return text
  const dropped = text.slice(0, -KEPT)
  return `${SECOND_READER.exec(dropped)?.[0] ?? ''} ${text.slice(-KEPT)}`
}

/**
 * Joins different lines of several branches to one line. The joined line is empty if a command may follow any
 * of these lines. A line whose end belongs to the next word comes last.
 */
function joinedLine(lines: readonly string[]): string {
  const [first = '', ...others] = new Set(lines)
  if (others.length === 0 || lines.some(startsCommand)) return others.length === 0 ? first : ''
  const last = lines.find((line) => BINDING.test(line)) ?? first
  return kept([...others, first, last].join(' '))
}

/**
 * Matches a word after which another program parses the line again. Such a second reader is a shell, an
 * interpreter, a database, or a program that starts others.
 */
export const SECOND_READER =
  /(?:^|[;&|\n])\s*\.\s|\b(?:eval|exec|source|trap|alias|ssh|su|sudo|doas|env|nohup|setsid|timeout|nice|ionice|stdbuf|chroot|unshare|sh|bash|dash|ksh|zsh|fish|watch|xargs|parallel|find|awk|gawk|sed|perl|python[\d.]*|ruby|node|php|psql|mysql|mariadb|sqlite3|sqlcmd|mongosh|redis-cli|docker|podman|kubectl|make|system|popen|Popen|subprocess|compile|execute)\b/

/** Whether a shell reads the next word of a line as a command. */
export function startsCommand(line: string): boolean {
  return /(?:^|[\n;&|({}!`]|\b(?:then|do|else|elif|if|while|until|time|exec|command|sudo|nohup|env))\s*(?:\w+=[^\s()`]*\s+)*$/.test(
    line,
  )
}

function found(expression: RegExp, text: string, at: number): number {
  expression.lastIndex = at
  return expression.exec(text)?.[0].length ?? 0
}

const go = (length: number, state: State): Step => ({ length, state })
const lost: Step = { length: 1, state: UNKNOWN }

/** Matches `${NAME}` and similar expansions that contain no quotes and no commands. */
const SIMPLE_EXPANSION = /\$\{[#!]?\w+[^"'`\\$}{]*\}/y

function shellStep(state: State, text: string, at: number, line: string): Step {
  const inner = state.at(-1) ?? ''
  const character = text[at] ?? ''
  if (inner === "'") return go(1, character === "'" ? state.slice(0, -1) : state)
  if (inner === '#') return go(1, character === '\n' ? state.slice(0, -1) : state)
  if (character === '\\') return go(Math.min(2, text.length - at), state)
  if (character === '`') return lost
  if (character === '$' && text[at + 1] === '{') {
    const length = found(SIMPLE_EXPANSION, text, at)
    return length > 0 ? go(length, state) : lost
  }
  return inner === '"' ? shellDoubleStep(state, text, at) : shellPlainStep(state, text, at, line)
}

function shellDoubleStep(state: State, text: string, at: number): Step {
  if (text[at] === '"') return go(1, state.slice(0, -1))
  return text.startsWith('$(', at) ? go(2, [...state, '(']) : go(1, state)
}

function shellPlainStep(state: State, text: string, at: number, line: string): Step {
  const character = text[at] ?? ''
  const isWordStart = /(?:^|[\s;&|()])$/.test(line.slice(-1))
  if (character === "'" || character === '"') {
    // Strings that begin with `$'` or `$"` have their own rules.
    return line.endsWith('$') ? lost : go(1, [...state, character])
  }
  if (character === '#' && isWordStart) return go(1, [...state, '#'])
  if (text.startsWith('<<<', at)) return go(3, state)
  // Gives up at a here-document: quotes mean nothing in it, and the script chooses the line that ends it.
  if (text.startsWith('<<', at)) return lost
  return state.length === 0 ? go(1, state) : inCommand(state, text, at)
}

/**
 * Follows the parentheses of a command inside a string. Gives up at `case`, because parentheses in a `case`
 * may have no partner.
 */
function inCommand(state: State, text: string, at: number): Step {
  if (found(/case\b/y, text, at) > 0) return lost
  if (text[at] === '(') return go(1, [...state, '('])
  return go(1, text[at] === ')' ? state.slice(0, -1) : state)
}

const FROM_STDIN = /\bfrom\s+(?:p?stdin)\b/i

function sqlStep(state: State, text: string, at: number, { line, statement }: Before): Step {
  const inner = state.at(-1) ?? ''
  const character = text[at] ?? ''
  if (inner === '\\' && character === '\n' && FROM_STDIN.test(line)) return lost
  if (inner === '#' || inner === '\\') return go(1, character === '\n' ? state.slice(0, -1) : state)
  if (inner === '*') {
    if (text.startsWith('/*', at)) return lost
    return text.startsWith('*/', at) ? go(2, state.slice(0, -1)) : go(1, state)
  }
  if (inner !== '') {
    // The database decides whether a backslash escapes the mark after it.
    if (character === '\\') return lost
    return go(1, character === inner ? state.slice(0, -1) : state)
  }
  return sqlPlainStep(text, at, statement)
}

function sqlPlainStep(text: string, at: number, statement: string): Step {
  const character = text[at] ?? ''
  // After COPY ... FROM STDIN, lines of data follow. Quotes mean nothing in these lines.
  if (character === ';' && FROM_STDIN.test(statement)) return lost
  if (character === "'" || character === '"') return go(1, [character])
  if (text.startsWith('--', at)) return found(/--(?=\s|$)/y, text, at) > 0 ? go(2, ['#']) : lost
  if (text.startsWith('/*', at)) return text[at + 2] === '!' ? lost : go(2, ['*'])
  if (character === '\\') return go(1, ['\\'])
  // Some databases read these signs as quotes or comments with rules of their own.
  if (character === '`' || character === '#' || found(/\$(?:\w*\$)/y, text, at) > 0) return lost
  return go(1, [])
}

function pythonStep(state: State, text: string, at: number): Step {
  const inner = state.at(-1) ?? ''
  const character = text[at] ?? ''
  if (inner === '#') return go(1, character === '\n' ? [] : state)
  if (inner === '') {
    if (character === '#') return go(1, ['#'])
    const mark = found(/'''|"""|['"]/y, text, at)
    return mark > 0 ? go(mark, [text.slice(at, at + mark)]) : go(1, state)
  }
  if (character === '\\') return go(Math.min(2, text.length - at), state)
  if (text.startsWith(inner, at)) return go(inner.length, [])
  // A one-line string that does not end on its line is an error, or syntax that this reader does not know.
  return character === '\n' && inner.length === 1 ? lost : go(1, state)
}
