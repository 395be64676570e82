import type { LineCounter } from 'yaml'

/** The place of a setting: keys and list positions from the top. */
export type Path = readonly (string | number)[]

/** Line and column numbers begin at 1. */
interface Problem {
  /** The line of the fault, if the fault is in the settings file. */
  readonly line?: number
  readonly column?: number
  /** The place of the fault, if it is not in the settings file: a flag, a variable or another file. */
  readonly place?: string
  /** E.g. `connections[0].agent`; empty when the fault is not about a setting. */
  readonly path: string
  /** Says what is accepted. Never quotes a value, which may be a secret. */
  readonly message: string
}

/** Unusable settings. The message has lines like `gateway.yaml:12:5 connections[0].agent: ...`. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError'
  readonly problems: readonly Problem[]

  constructor(file: string, problems: readonly Problem[]) {
    super(toLines(file, problems).join('\n'))
    this.problems = problems
  }
}

/** Maximum number of problems shown, because one wrong indentation can cause thousands. */
const MAX_PROBLEMS = 50

export class Problems {
  readonly #file: string
  readonly #lines: LineCounter | undefined
  readonly #offsets = new Map<string, { key: number; value: number }>()
  readonly #found: Problem[] = []
  readonly #paths = new Set<string>()

  /** `lines` finds the line of an offset. Leave it out if the settings are not in a file. */
  constructor(file: string, lines?: LineCounter) {
    this.#file = file
    this.#lines = lines
  }

  /** Records where in the file a setting's name and value begin. */
  locate(path: Path, value: number, key = value): void {
    this.#offsets.set(path.join('.'), { key, value })
  }

  /**
   * Adds at most one problem per setting. Ignores a problem inside a setting that already has one, because
   * the second is a consequence of the first.
   */
  add(path: Path, message: string, part: 'key' | 'value' = 'value'): void {
    if (this.has(path)) return
    this.#paths.add(path.join('.'))
    this.addAt(this.#offsetOf(path)[part], message, path)
  }

  /** Adds a problem of the text at this offset. */
  addAt(offset: number, message: string, path: Path = []): void {
    this.#found.push({ ...this.#positionOf(offset), path: formatPath(path), message })
  }

  /**
   * Adds a problem that is not in the file, unless it is already known. `place` is, for example, a flag or a
   * variable.
   */
  addFrom(place: string, message: string, path: Path = []): void {
    const problem = { place, path: formatPath(path), message }
    const isKnown = this.#found.some((other) => other.place === place && other.message === message)
    if (!isKnown) this.#found.push(problem)
  }

  /** Adds the problems of another file, with their places in that file. */
  addOthers(file: string, problems: readonly Problem[]): void {
    for (const { line = 1, column = 1, place = `${file}:${line}:${column}`, path, message } of problems)
      this.#found.push({ place, path, message })
  }

  /** Returns the setting's line as "line 12". A message about another setting can then refer to this one. */
  lineOf(path: Path): string {
    return `line ${this.#positionOf(this.#offsetOf(path).value).line}`
  }

  placeOf(path: Path, part: 'key' | 'value' = 'value'): string {
    const { line, column } = this.#positionOf(this.#offsetOf(path)[part])
    return `${this.#file}:${line}:${column}`
  }

  /** Whether the setting in the file, or a setting around it, has a problem. */
  has(path: Path): boolean {
    return path.some((_, i) => this.#paths.has(path.slice(0, i + 1).join('.')))
  }

  get count(): number {
    return this.#found.length
  }

  /** Problems of the file are first, in the order of the file. */
  toLines(): string[] {
    return toLines(this.#file, this.#sorted())
  }

  throwIfAny(): void {
    if (this.count > 0) throw new SettingsError(this.#file, this.#sorted())
  }

  #sorted(): Problem[] {
    const order = ({ line = 1e9, column = 0 }: Problem): number => line * 1e7 + column
    return this.#found.toSorted((a, b) => order(a) - order(b))
  }

  /** Returns the offset of the setting or, if it is missing, of the map around it. */
  #offsetOf(path: Path): { key: number; value: number } {
    for (let length = path.length; length >= 0; length--) {
      const found = this.#offsets.get(path.slice(0, length).join('.'))
      if (found !== undefined) return found
    }
    return { key: 0, value: 0 }
  }

  #positionOf(offset: number): { line: number; column: number } {
    const { line, col } = this.#lines?.linePos(offset) ?? { line: 1, col: 1 }
    // For an empty file the line counter returns 0 as the line.
    return { line: Math.max(line, 1), column: Math.max(col, 1) }
  }
}

/** Formats a path like `connections[0].agent`. */
export function formatPath(path: Path): string {
  return path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${formatKey(key)}`))
    .join('')
    .replace(/^\./, '')
}

/** Names of settings and variables that may be shown. */
const NAME = /^(?:(?:envvar|filesystem):)?(?:[A-Z_][A-Z0-9_]{0,99}|[A-Za-z_][\w.-]{0,30})$/

/**
 * Replaces an unusual key by `?`. If a line lacks its ": ", YAML takes the whole line as a key, and the line
 * may contain a secret.
 */
function formatKey(key: string): string {
  return NAME.test(key) ? key : '?'
}

/**
 * Makes a path or a name short and printable. Users write any text after `file://` or `env://`, for example a
 * misplaced paragraph.
 */
export function shorten(text: string): string {
  const printable = text.replaceAll(/[^\x20-\x7e]/g, '?')
  return printable.length <= 100 ? printable : `${printable.slice(0, 97)}...`
}

function toLines(file: string, problems: readonly Problem[]): string[] {
  const lines = problems.map(({ line, column, place, path, message }) => {
    const where = place ?? (line === undefined ? file : `${file}:${line}:${column ?? 1}`)
    return `${where}${path === '' ? '' : ` ${path}`}: ${message}`.replaceAll(/\p{Cc}/gu, '?')
  })
  const more = lines.length - MAX_PROBLEMS
  return [...lines.slice(0, MAX_PROBLEMS), ...(more > 0 ? [`${file}: and ${more} more`] : [])]
}
