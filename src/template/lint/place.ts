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
 * The enclosures of a place, innermost last. The sign of a quote is its closing mark. Other signs: `(` a
 * command in a string; `#` a comment up to the end of the line; `*` a comment of SQL; `\` a command of psql;
 * `?` text that is not understood, up to the end of the script.
 */
type State = readonly string[]

interface Before {
  readonly line: string
  readonly statement: string
}

const UNKNOWN: State = ['?']

/** Comments and psql's commands, whose text is not a part of a statement. */
const ASIDE = new Set(['#', '*', '\\'])

/** Signs that belong to the next word in at least one of the languages. */
const BINDING = /[-$:@\\]$/

/** Number of characters of a line and of a statement that are kept. */
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
    // A command of psql may have sent the statement before it.
    if (this.#state.at(-1) === '\\') this.#statement = ''
    else if (!isAside) this.#statement = kept(this.#statement + read)
    if (next.length === 0 && read.endsWith(';')) this.#statement = ''
  }
}

/** Cuts a long text to the first SECOND_READER of the dropped part and the last KEPT characters. */
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

/** Words after which another program (shell, interpreter, database, starter) parses the line again. */
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

/** `${NAME}` and similar expansions, without quotes or commands in them. */
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
    // $'..' and $".." have their own rules.
    return line.endsWith('$') ? lost : go(1, [...state, character])
  }
  if (character === '#' && isWordStart) return go(1, [...state, '#'])
  if (text.startsWith('<<<', at)) return go(3, state)
  // A here-document has no quotes, and the author chooses the line that ends it.
  if (text.startsWith('<<', at)) return lost
  return state.length === 0 ? go(1, state) : inCommand(state, text, at)
}

/** Follows the parentheses of a command inside a string. In a `case`, parentheses may be without pairs. */
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
  // Lines of data follow COPY ... FROM STDIN, in which quotes mean nothing.
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
