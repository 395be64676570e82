import type { Style } from './style.ts'

/** Text of one look. */
export interface Span {
  readonly text: string
  readonly style: Style
}

/** A row of output: plain text is most of it, and has no list of spans. */
export type Row = string | readonly Span[]

/** One line while it is written: a program may go back in it and write over what is there. */
export class WrittenLine {
  #spans: Span[] = []
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
    if (this.#column < this.#length) this.#replace(text, style)
    else this.#append(text, style)
    this.#column += text.length
    this.#length = Math.max(this.#length, this.#column)
  }

  moveTo(column: number): void {
    this.#column = Math.min(this.#length, Math.max(0, column))
  }

  moveBy(columns: number): void {
    this.moveTo(this.#column + columns)
  }

  /** From here to the end of the line. */
  erase(): void {
    this.#spans = cut(this.#spans, 0, this.#column)
    this.#length = this.#column
  }

  clear(): void {
    this.#spans = []
    this.#length = 0
    this.#column = 0
  }

  /** What is written, and begins anew. */
  take(): Row {
    const row = this.row()
    this.clear()
    return row
  }

  row(): Row {
    const [only, ...others] = this.#spans
    if (only === undefined) return ''
    return others.length === 0 && only.style === 0 ? only.text : [...this.#spans]
  }

  #append(text: string, style: Style): void {
    const last = this.#spans.at(-1)
    if (last?.style === style) this.#spans[this.#spans.length - 1] = { text: last.text + text, style }
    else this.#spans.push({ text, style })
  }

  #replace(text: string, style: Style): void {
    const after = cut(this.#spans, this.#column + text.length, this.#length)
    this.#spans = cut(this.#spans, 0, this.#column)
    this.#append(text, style)
    for (const span of after) this.#append(span.text, span.style)
  }
}

/** The part of a line between two columns. */
function cut(spans: readonly Span[], from: number, to: number): Span[] {
  const parts: Span[] = []
  let start = 0
  for (const { text, style } of spans) {
    const part = text.slice(Math.max(0, from - start), Math.max(0, to - start))
    if (part !== '') parts.push({ text: part, style })
    start += text.length
  }
  return parts
}

export function textOfRow(row: Row): string {
  return typeof row === 'string' ? row : row.map(({ text }) => text).join('')
}
