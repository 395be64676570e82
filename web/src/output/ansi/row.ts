import type { Style } from './style.ts'

export interface Span {
  readonly text: string
  readonly style: Style
}

/** A row of output. Most rows are plain text and need no list of spans. */
export type Row = string | readonly Span[]

/**
 * One line while a program writes to it. After the program has moved back in the line, each column is stored
 * separately. The cost of a write then depends on its length and not on the number of colours.
 */
export class WrittenLine {
  #spans: Span[] = []
  #columns: Span[] | undefined
  #length = 0
  #column = 0

  get length(): number {
    return this.#length
  }

  get isEmpty(): boolean {
    return this.#length === 0
  }

  write(text: string, style: Style): void {
    if (text === '') return
    if (this.#columns === undefined && this.#column === this.#length) append(this.#spans, text, style)
    else this.#replace(text, style)
    this.#column += text.length
    this.#length = Math.max(this.#length, this.#column)
  }

  moveTo(column: number): void {
    this.#column = Math.min(this.#length, Math.max(0, column))
  }

  moveBy(columns: number): void {
    this.moveTo(this.#column + columns)
  }

  /** Erases from the current column to the end of the line. */
  erase(): void {
    if (this.#column === this.#length) return
    this.#asColumns().length = this.#column
    this.#length = this.#column
  }

  clear(): void {
    this.#spans = []
    this.#columns = undefined
    this.#length = 0
    this.#column = 0
  }

  /** Returns the written row and starts a new one. */
  take(): Row {
    const row = this.row()
    this.clear()
    return row
  }

  row(): Row {
    const spans = this.#columns === undefined ? [...this.#spans] : joined(this.#columns)
    const [only, ...others] = spans
    if (only === undefined) return ''
    return others.length === 0 && only.style === 0 ? only.text : spans
  }

  #replace(text: string, style: Style): void {
    const columns = this.#asColumns()
    for (const [index, unit] of text.split('').entries())
      columns[this.#column + index] = { text: unit, style }
  }

  #asColumns(): Span[] {
    this.#columns ??= this.#spans.flatMap(({ text, style }) =>
      text.split('').map((unit) => ({ text: unit, style })),
    )
    return this.#columns
  }
}

function joined(columns: readonly Span[]): Span[] {
  const spans: Span[] = []
  for (const { text, style } of columns) append(spans, text, style)
  return spans
}

function append(spans: Span[], text: string, style: Style): void {
  const last = spans.at(-1)
  if (last?.style === style) spans[spans.length - 1] = { text: last.text + text, style }
  else spans.push({ text, style })
}

export function textOfRow(row: Row): string {
  return typeof row === 'string' ? row : row.map(({ text }) => text).join('')
}
