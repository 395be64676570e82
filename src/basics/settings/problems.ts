import type { LineCounter } from 'yaml'
import { firstLines } from './first-lines.ts'
import { placeIn } from './yaml.ts'

/** Where a setting is: keys and list positions from the top. */
export type Path = readonly (string | number)[]

/** One thing that is wrong. Line and column count from 1; none when the whole file is meant. */
export interface Problem {
  readonly line?: number
  readonly column?: number
  /** E.g. `connections[0].agent`; empty for the whole file. */
  readonly path: string
  /** What is accepted. Never a value: any of them may be a secret. */
  readonly message: string
}

/** The settings cannot be used. One line per problem: `gateway.yaml:12:5 connections[0].agent: ...`. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError'
  readonly problems: readonly Problem[]

  constructor(file: string, problems: readonly Problem[]) {
    super(toText(file, problems))
    this.problems = problems
  }
}

/** Collects problems and knows where in the file each setting is. */
export class Problems {
  readonly #file: string
  readonly #lines: LineCounter
  readonly #offsets = new Map<string, { key: number; value: number }>()
  readonly #found: Problem[] = []
  readonly #paths = new Set<string>()

  constructor(file: string, lines: LineCounter) {
    this.#file = file
    this.#lines = lines
  }

  /** Notes at which characters of the file a setting's name and its value begin. */
  locate(path: Path, value: number, key = value): void {
    this.#offsets.set(formatPath(path), { key, value })
  }

  /**
   * Adds a problem of a setting. A setting has one problem at most, and none when something it is part of has
   * one: what follows from an error is no news.
   */
  add(path: Path, message: string, part: 'key' | 'value' = 'value'): void {
    if (this.has(path)) return
    this.#paths.add(formatPath(path))
    this.addAt(this.#offsetOf(path)[part], message, path)
  }

  /** Adds a problem of the text itself, at a character of it. */
  addAt(offset: number, message: string, path: Path = []): void {
    this.#found.push({ ...placeIn(this.#lines, offset), path: formatPath(path), message })
  }

  /** "line 12", for a problem that has to do with another setting. */
  lineOf(path: Path): string {
    return `line ${this.#lines.linePos(this.#offsetOf(path).value).line}`
  }

  /** `path:line:column` of a setting's value. */
  placeOf(path: Path): string {
    const { line, column } = placeIn(this.#lines, this.#offsetOf(path).value)
    return `${this.#file}:${line}:${column}`
  }

  /** Whether the setting, or what it is part of, has a problem. */
  has(path: Path): boolean {
    return path.some((_, i) => this.#paths.has(formatPath(path.slice(0, i + 1))))
  }

  get any(): boolean {
    return this.#found.length > 0
  }

  /** Throws a SettingsError with all problems so far, in the order of the file. */
  throwIfAny(): void {
    if (this.any) throw this.toError()
  }

  toError(): SettingsError {
    const place = ({ line = 0, column = 0 }: Problem): number => line * 1e7 + column
    return new SettingsError(
      this.#file,
      this.#found.toSorted((a, b) => place(a) - place(b)),
    )
  }

  /** Of the setting, or of what it is missing from. */
  #offsetOf(path: Path): { key: number; value: number } {
    for (let length = path.length; length >= 0; length--) {
      const found = this.#offsets.get(formatPath(path.slice(0, length)))
      if (found !== undefined) return found
    }
    return { key: 0, value: 0 }
  }
}

/** E.g. `connections[0].agent`. */
export function formatPath(path: Path): string {
  return path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${shorten(key)}`))
    .join('')
    .replace(/^\./, '')
}

/** A key may be anything, a whole misplaced paragraph for instance. */
export function shorten(key: string): string {
  const printable = key.replaceAll(/[^\x20-\x7e]/g, '?')
  return printable.length <= 100 ? printable : `${printable.slice(0, 97)}...`
}

function toText(file: string, problems: readonly Problem[]): string {
  const lines = problems.map(({ line, column, path, message }) => {
    const place = line === undefined || column === undefined ? file : `${file}:${line}:${column}`
    return path === '' ? `${place}: ${message}` : `${place} ${path}: ${message}`
  })
  return firstLines(lines, `${file}: `).join('\n')
}
