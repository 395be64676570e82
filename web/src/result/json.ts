import { MAX_COLUMNS, STEP_ROWS, TableBuilder, type Cell, type ResultTable, type Steps } from './table.ts'

/** Thrown when the text is not JSON, or is not JSON of objects. */
class NoTable extends Error {}

/**
 * Reads a text that is JSON from its beginning to its end. Each array of objects is one table, and a sequence
 * of objects is also one table. Numbers keep their text, because a browser would round long numbers.
 */
export function* jsonTables(text: string, isCut: boolean): Steps<readonly ResultTable[]> {
  const reader = new ObjectReader(text)
  const tables: ResultTable[] = []
  let lines: ObjectTable | undefined
  try {
    while (!reader.isAtEnd()) {
      if (reader.takes('[')) {
        const table = new ObjectTable()
        tables.push(yield* arrayOf(reader, table, isCut))
      } else {
        lines ??= new ObjectTable()
        if (!lines.tryAdd(reader, isCut)) break
        if (lines.count % STEP_ROWS === 0) yield
      }
    }
  } catch (error) {
    if (error instanceof NoTable || error instanceof SyntaxError) return []
    throw error
  }
  // A single object is not a table.
  if (lines !== undefined && lines.count > 1) tables.push(lines.table())
  else if (lines !== undefined) return []
  return tables.filter(({ rows }) => rows.length > 0)
}

function* arrayOf(reader: ObjectReader, table: ObjectTable, isCut: boolean): Steps<ResultTable> {
  if (reader.takes(']')) return table.table()
  for (;;) {
    if (!table.tryAdd(reader, isCut)) {
      reader.end()
      break
    }
    if (table.count % STEP_ROWS === 0) yield
    if (reader.takes(']')) break
    if (isCut && reader.isAtEnd()) break
    if (!reader.takes(',')) throw new NoTable()
  }
  return table.table()
}

/** Builds one table with a column for each name that occurs in an object. */
class ObjectTable {
  readonly #builder = new TableBuilder([])
  readonly #columns = new Map<string, number>()

  get count(): number {
    return this.#builder.rowCount
  }

  table(): ResultTable {
    return this.#builder.table()
  }

  /** Returns false when the output was truncated inside this object. */
  tryAdd(reader: ObjectReader, isCut: boolean): boolean {
    try {
      this.#builder.add(this.#row(reader.object()))
      return true
    } catch (error) {
      if (isCut && this.count > 0 && !(error instanceof TooWide)) return false
      throw error
    }
  }

  #row(members: readonly (readonly [name: string, value: Cell])[]): Cell[] {
    const row: Cell[] = []
    for (const [name, value] of members) {
      let column = this.#columns.get(name)
      if (column === undefined) {
        if (this.#columns.size >= MAX_COLUMNS) throw new TooWide()
        column = this.#builder.addColumn(name)
        this.#columns.set(name, column)
      }
      while (row.length < column) row.push('')
      row[column] = value
    }
    return row
  }
}

class TooWide extends NoTable {}

const BLANKS = /[ \t\r\n]*/y
/** A JSON string. This expression does not backtrack, even in a long text. */
const TEXT = /"[^"\\]*(?:\\.[^"\\]*)*"/y
const NUMBER_OR_WORD = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y
const NEXT_IN_NESTED = /[^"[\]{}]*/y

class ObjectReader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  isAtEnd(): boolean {
    this.#match(BLANKS)
    return this.#at >= this.#text.length
  }

  end(): void {
    this.#at = this.#text.length
  }

  takes(sign: string): boolean {
    this.#match(BLANKS)
    if (this.#text[this.#at] !== sign) return false
    this.#at += 1
    return true
  }

  /** @throws NoTable */
  object(): (readonly [name: string, value: Cell])[] {
    this.#expect('{')
    const members: (readonly [string, Cell])[] = []
    if (this.takes('}')) return members
    do {
      this.#match(BLANKS)
      const name = JSON.parse(this.#match(TEXT)) as string
      this.#expect(':')
      members.push([name, this.#value()])
    } while (this.takes(','))
    this.#expect('}')
    return members
  }

  #value(): Cell {
    this.#match(BLANKS)
    const sign = this.#text[this.#at]
    if (sign === '"') {
      const raw = this.#match(TEXT)
      return raw.includes('\\') ? (JSON.parse(raw) as string) : raw.slice(1, -1)
    }
    if (sign === '{' || sign === '[') return this.#nested()
    const word = this.#match(NUMBER_OR_WORD)
    if (word === '') throw new NoTable()
    return word === 'null' ? null : word
  }

  /** Returns the text of a nested list or object. */
  #nested(): string {
    const start = this.#at
    let depth = 0
    do {
      this.#match(NEXT_IN_NESTED)
      const sign = this.#text[this.#at]
      if (sign === undefined) throw new NoTable()
      if (sign === '"') {
        if (this.#match(TEXT) === '') throw new NoTable()
        continue
      }
      depth += sign === '{' || sign === '[' ? 1 : -1
      this.#at += 1
    } while (depth > 0)
    const raw = this.#text.slice(start, this.#at)
    JSON.parse(raw)
    return raw.replaceAll(/\s*\n\s*/g, ' ')
  }

  #expect(sign: string): void {
    if (!this.takes(sign)) throw new NoTable()
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0] ?? ''
    this.#at += found.length
    return found
  }
}
