import { code } from './errors.ts'
import { type Connection, inTransaction } from './sqlite.ts'
import type { Layout } from './room.ts'
import { isDamage } from './examination.ts'

export interface Loss {
  readonly table: string
  /** Names of the first lost rows. A name is the row's value in an index, or its key. */
  readonly names: readonly string[]
  /** Undefined when neither the table nor one of its indexes could be read to the end. */
  readonly rows: number | undefined
  /** Number of unreadable keys if `rows` is unknown. Each key may have had a row. */
  readonly unread: number
}

interface Table {
  readonly name: string
  readonly columns: readonly string[]
  readonly isReadable: string
  readonly hasRowid: boolean
}

/** Number of keys that one statement copies. */
const WINDOW = 4096
/** After this many failed reads, the rest of a table is given up: it may have keys up to 2^63. */
const MAX_FAILURES = 200_000
/** The same limit if no probe could be read: the first page is damaged, and each read takes time. */
const MAX_FAILURES_OUT_OF_REACH = 1000
/** Number of keys, at equal distances, that are read as a test before the copy. */
const PROBES = 256
/** Maximum number of lost rows per table whose names are reported. More lost rows are only counted. */
const MAX_NAMES = 1000
/** Maximum number of lost rows per table that are counted, because their keys are kept in memory. */
const MAX_COUNTED_ROWS = 1_000_000
const MAX_KEY = Number.MAX_SAFE_INTEGER
/**
 * The first letters of a column's declared type, and the types that a value in such a column may have. SQLite
 * may store a whole number as integer or real.
 */
const TYPES: Readonly<Record<string, string>> = {
  INT: `'integer', 'real', 'null'`,
  REA: `'integer', 'real', 'null'`,
  TEX: `'text', 'null'`,
  BLO: `'blob', 'null'`,
}

/** Copies readable rows of the schema `damaged` into `history`. Skips rows that break a constraint. */
export function salvage(db: Connection, json: Layout['json']): Loss[] {
  const losses = tablesOf(db, json).map((table) => new Salvage(db, table).run())
  return losses.filter(({ rows, unread }) => rows !== 0 || unread > 0)
}

function tablesOf(db: Connection, json: Layout['json']): Table[] {
  const found = db
    .prepare(
      `SELECT name, wr FROM pragma_table_list WHERE schema = 'history' AND type = 'table' AND name NOT LIKE 'sqlite_%'`,
    )
    .raw()
    .all([]) as [string, number][]
  return found.map(([name, isWithoutRowid]) => {
    const columns = columnsOf(db, 'history', name)
    const known = new Set(columnsOf(db, 'damaged', name).map(([column]) => column))
    const there = columns.filter(([column]) => known.has(column))
    return {
      name,
      columns: there.map(([column]) => column),
      isReadable: ['1', ...there.map(([column, type]) => readable(column, type, json[name]))].join(' AND '),
      hasRowid: isWithoutRowid === 0,
    }
  })
}

/** Returns the columns of a table, except generated columns. */
function columnsOf(db: Connection, schema: string, table: string): [name: string, type: string][] {
  const found = db.prepare(`PRAGMA ${schema}.table_info('${table}')`).raw().all([]) as [
    number,
    string,
    string,
  ][]
  return found.map(([, name, type]) => [name, type])
}

function readable(column: string, type: string, json: Layout['json'][string] = []): string {
  const isTyped = `typeof("${column}") IN (${TYPES[type.slice(0, 3)] ?? `typeof("${column}")`})`
  const broken = json.filter((one) => one.column === column).map(({ isBroken }) => isBroken)
  return [isTyped, ...broken.map((condition) => `NOT coalesce(${condition}, 0)`)].join(' AND ')
}

type Range = readonly [from: number, to: number]

class Salvage {
  readonly #db: Connection
  readonly #table: Table
  #failures = 0
  #mostFailures = MAX_FAILURES
  #unread = 0
  #isWhole = true

  constructor(db: Connection, table: Table) {
    this.#db = db
    this.#table = table
  }

  run(): Loss {
    const { name, hasRowid, columns } = this.#table
    if (columns.length === 0) return { table: name, names: [], rows: undefined, unread: 1 }
    if (hasRowid) this.#copyByKey()
    else this.#copyInOrder()
    const missing = hasRowid ? this.#missing() : undefined
    if (missing !== undefined)
      return { table: name, names: [...missing].slice(0, MAX_NAMES), rows: missing.length, unread: 0 }
    return { table: name, names: [], rows: this.#isWhole ? 0 : undefined, unread: this.#unread }
  }

  /** Copies ranges of keys. If a range cannot be read, tries its halves, down to single keys. */
  #copyByKey(): void {
    const last = this.#lastKey()
    if (!this.#isInReach(last)) this.#mostFailures = MAX_FAILURES_OUT_OF_REACH
    const ranges: Range[] = [[0, last]]
    for (let range = ranges.pop(); range !== undefined; range = ranges.pop()) {
      const [from, to] = range
      try {
        const first = this.#firstKey(range)
        if (first === undefined) continue
        const end = Math.min(to, first + WINDOW - 1)
        this.#copy(`rowid BETWEEN ${first} AND ${end}`)
        if (end < to) ranges.push([end + 1, to])
      } catch (error) {
        ranges.push(...this.#afterFailure([from, to], error))
      }
    }
  }

  /** Tests if any probe can be read. If the last key is unknown, powers of two find keys of small tables. */
  #isInReach(last: number): boolean {
    const even = Array.from({ length: PROBES + 1 }, (_, n) => Math.floor((last / PROBES) * n))
    const powers = Array.from({ length: 53 }, (_, n) => Math.min(last, 2 ** n))
    return [...even, ...powers].some((key) => this.#canRead(key))
  }

  #canRead(key: number): boolean {
    try {
      this.#db
        .prepare(`SELECT 1 FROM damaged.${this.#table.name} NOT INDEXED WHERE rowid = ${key}`)
        .raw()
        .get([])
      return true
    } catch (error) {
      if (!isUnreadable(error)) throw error
      return false
    }
  }

  /** Splits a range that cannot be read into halves. @returns the halves, in reverse order */
  #afterFailure([from, to]: Range, error: unknown): Range[] {
    if (!isUnreadable(error)) throw error
    this.#isWhole = false
    this.#failures += 1
    if (from === to || this.#failures > this.#mostFailures) {
      this.#unread += to - from + 1
      return []
    }
    const middle = from + Math.floor((to - from) / 2)
    return [
      [middle + 1, to],
      [from, middle],
    ]
  }

  #firstKey([from, to]: Range): number | undefined {
    const sql = `SELECT rowid FROM damaged.${this.#table.name} NOT INDEXED WHERE rowid BETWEEN ${from} AND ${to} ORDER BY rowid LIMIT 1`
    return (this.#db.prepare(sql).raw().get([]) as [number] | undefined)?.[0]
  }

  /** Copies from the first key on until a row cannot be read. Then copies backwards from the last key. */
  #copyInOrder(): void {
    for (const order of ['ASC', 'DESC']) {
      const isWhole = this.#copyUntilFailure(order)
      if (isWhole) return
      this.#isWhole = false
      this.#unread = 1
    }
  }

  /** Copies each row by its own statement, because a failed statement undoes all that it has copied. */
  #copyUntilFailure(order: string): boolean {
    const { name } = this.#table
    const keys = this.#keyColumns()
    const list = keys.map((key) => `"${key}"`)
    const where = list.map((key) => `${key} = ?`).join(' AND ')
    const sorted = list.map((key) => `${key} ${order}`).join(', ')
    try {
      const rows = this.#db.prepare(`SELECT ${list.join(', ')} FROM damaged.${name} ORDER BY ${sorted}`).raw()
      const found: unknown[][] = []
      try {
        for (const row of rows.iterate([]) as Iterable<unknown[]>) found.push(row)
      } finally {
        for (const row of found) this.#copyOne(where, row)
      }
      return true
    } catch (error) {
      if (!isUnreadable(error)) throw error
      return false
    }
  }

  #copyOne(where: string, values: readonly unknown[]): void {
    try {
      this.#copy(where, values)
    } catch (error) {
      if (!isUnreadable(error)) throw error
      this.#isWhole = false
      this.#unread += 1
    }
  }

  #keyColumns(): string[] {
    const sql = `SELECT name FROM pragma_table_info('${this.#table.name}', 'history') WHERE pk > 0 ORDER BY pk`
    return (this.#db.prepare(sql).raw().all([]) as [string][]).map(([name]) => name)
  }

  #copy(where: string, values: readonly unknown[] = []): void {
    const { name, columns, isReadable, hasRowid } = this.#table
    const list = [...(hasRowid ? ['rowid'] : []), ...columns.map((column) => `"${column}"`)].join(', ')
    const from = `damaged.${name}${hasRowid ? ' NOT INDEXED' : ''}`
    const sql = `INSERT OR IGNORE INTO history.${name} (${list}) SELECT ${list} FROM ${from} WHERE ${where} AND ${isReadable}`
    inTransaction(this.#db, () => this.#db.prepare(sql).run([...values]))
  }

  /** Returns the largest key of table and indexes: an index may have the keys of rows that cannot be read. */
  #lastKey(): number {
    const { name } = this.#table
    const keys = ['NOT INDEXED', ...this.#indexes().map(({ index }) => `INDEXED BY "${index}"`)].flatMap(
      (how) => {
        try {
          const sql = `SELECT max(rowid) FROM damaged.${name} ${how}`
          return [(this.#db.prepare(sql).raw().get([]) as [number | null])[0] ?? 0]
        } catch (error) {
          if (!isUnreadable(error)) throw error
          return []
        }
      },
    )
    return keys.length === 0 ? MAX_KEY : Math.min(MAX_KEY, Math.max(0, ...keys))
  }

  /** Returns rows of the table or its indexes that were not copied. Undefined if no source can be read. */
  #missing(): string[] | undefined {
    const names = new Map<number, string>()
    let isKnown = false
    const sources = [
      ...this.#indexes().map(({ index, column }) => [`INDEXED BY "${index}"`, `"${column}"`] as const),
      ['NOT INDEXED', `'row ' || rowid`] as const,
    ]
    for (const [how, name] of sources)
      try {
        const sql = `SELECT rowid, CAST(${name} AS TEXT) FROM damaged.${this.#table.name} ${how}
          WHERE rowid NOT IN (SELECT rowid FROM history.${this.#table.name})`
        const rows = this.#db.prepare(`${sql} LIMIT ${MAX_COUNTED_ROWS}`).raw().all([]) as [
          number,
          string | null,
        ][]
        for (const [key, text] of rows) if (!names.has(key)) names.set(key, text ?? `row ${key}`)
        isKnown = true
      } catch (error) {
        if (!isUnreadable(error)) throw error
      }
    return isKnown ? [...names.values()] : undefined
  }

  /** Returns indexes that contain all rows. Indexes of columns with names or ids come first. */
  #indexes(): { readonly index: string; readonly column: string }[] {
    const { name } = this.#table
    const sql = `SELECT l.name, i.name FROM pragma_index_list('${name}', 'damaged') l
      JOIN pragma_index_info(l.name, 'damaged') i WHERE i.seqno = 0 AND NOT l.partial AND i.name IS NOT NULL
      ORDER BY i.name NOT IN ('id', 'name'), NOT l."unique"`
    try {
      const found = this.#db.prepare(sql).raw().all([]) as [string, string][]
      return found.map(([index, column]) => ({ index, column }))
    } catch (error) {
      if (!isUnreadable(error)) throw error
      return []
    }
  }
}

/** True for damage and invalid content, but not for other errors such as a full disk. */
function isUnreadable(error: unknown): boolean {
  return isDamage(error) || /^SQLITE_(ERROR|CONSTRAINT|MISMATCH|TOOBIG|NOMEM|RANGE)/.test(code(error))
}
