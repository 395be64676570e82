import type { SessionQuery } from './session.ts'
import type { Connection, SqlStatement } from './sqlite.ts'

type Filter = Exclude<keyof SessionQuery, 'limit' | 'offset'>

const CONDITIONS: Readonly<Record<Filter, string>> = {
  user: 'user = ?',
  // The user whose sessions may be seen; `user` is the one that was asked for.
  owner: 'user = ?',
  connection: 'connection = ?',
  connectionType: 'connection_type = ?',
  correlationId: 'correlation_id = ?',
  sessionBatchId: 'batch_id = ?',
  from: 'started_at >= ?',
  to: 'started_at <= ?',
}
const FILTERS = Object.keys(CONDITIONS) as Filter[]

interface Pair {
  readonly page: SqlStatement
  readonly count: SqlStatement
}

/**
 * The statements that find sessions, one pair for each set of filters. One statement for all would have filters that
 * are always true, and these keep SQLite from using an index.
 */
export class Search {
  readonly #db: Connection
  readonly #columns: string
  /** At most one entry for each set of filters. */
  readonly #statements = new Map<string, Pair>()

  constructor(db: Connection, columns: string) {
    this.#db = db
    this.#columns = columns
  }

  /** The rows of one page, newest session first, and the number of sessions on all pages. */
  find(query: SessionQuery): { rows: readonly unknown[]; total: number } {
    const filters = FILTERS.filter((name) => query[name] !== undefined)
    const values = filters.map((name) => bound(query[name]))
    const { page, count } = this.#pair(filters.map((name) => CONDITIONS[name]))
    const [total] = count.get(values) as [number]
    return { rows: page.all([...values, query.limit, query.offset]), total }
  }

  #pair(conditions: readonly string[]): Pair {
    const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`
    const known = this.#statements.get(where) ?? this.#prepare(where)
    this.#statements.set(where, known)
    return known
  }

  #prepare(where: string): Pair {
    const order = 'ORDER BY started_at DESC, key DESC LIMIT ? OFFSET ?'
    return {
      page: this.#db.prepare(`SELECT ${this.#columns} FROM sessions ${where} ${order}`).raw(),
      count: this.#db.prepare(`SELECT count(*) FROM sessions ${where}`).raw(),
    }
  }
}

function bound(value: string | Date | undefined): string | number | undefined {
  return value instanceof Date ? value.getTime() : value
}
