import { askedOf, valuesOf, whereOf, type Condition, type Joined } from './conditions.ts'
import { FoldedSessions, foldedRows, type Foldable, type FoldedRow } from './folds.ts'
import type { Searched, SessionGroup, SessionQuery, SessionSort } from './session.ts'
import { NAME_OF_RUNBOOK } from './values.ts'
import type { Connection, SqlStatement } from '../store/sqlite.ts'

/**
 * Maximum number of sessions that a list looks at for a text, an order or folded rows. Each costs about a
 * microsecond.
 */
const MAX_LOOKED_AT_SESSIONS = 20_000

export interface Gathered {
  /** All rows of the list, in its order. */
  readonly rows: readonly FoldedRow[]
  readonly searched: Searched
}

/** Whether a list has to look at more sessions than it shows. */
export function needsGathering({ parameter, words = [], sort, folding }: SessionQuery): boolean {
  return parameter !== undefined || words.length > 0 || sort !== undefined || folding !== undefined
}

const BY_START: SessionSort = { by: 'started', isDescending: true }
const RAN: Condition = { sql: 'began_at IS NOT NULL AND ended_at IS NOT NULL', values: [] }
/** The texts of an order. Sessions without a runbook come last. */
const TEXTS = { user: 'lower(user)', connection: 'lower(connection)', runbook: NAME_OF_RUNBOOK } as const

/** The order in which sessions are looked at, and in which those that match are listed. */
function ordersOf({ by, isDescending }: SessionSort): { readonly source: string; readonly list: string } {
  const way = isDescending ? 'DESC' : 'ASC'
  const byStart = (one: string) => `started_at ${one}, key ${one}`
  if (by === 'started') return { source: byStart(way), list: byStart(way) }
  if (by === 'took')
    return { source: `ended_at - began_at ${way}`, list: `length ${way}, ${byStart('DESC')}` }
  return { source: byStart('DESC'), list: `${TEXTS[by]} ${way} NULLS LAST, ${byStart('DESC')}` }
}

/** Looks at a limited number of sessions. SQLite reads only indexes and the table of values for them. */
export class Gathering {
  readonly #db: Connection
  readonly #joined: Joined
  readonly #folded: FoldedSessions
  /** The prepared statements by their SQL. Each set of filters and each order has a few. */
  readonly #statements = new Map<string, SqlStatement>()

  constructor(db: Connection, joined: Joined) {
    this.#db = db
    this.#joined = joined
    this.#folded = new FoldedSessions(db)
  }

  gather(query: SessionQuery): Gathered {
    const { sort = BY_START, parameter, folding } = query
    const asked = askedOf(query, this.#joined)
    const filters = sort.by === 'took' ? [...asked.filters, RAN] : asked.filters
    const orders = ordersOf(sort)
    const length = sort.by === 'took' ? 'ended_at - began_at' : 'NULL'
    const source = (columns: string, most: number) =>
      `(SELECT ${columns} FROM sessions ${whereOf(filters)} ORDER BY ${orders.source} LIMIT ${most})`
    const lookedAt = source(
      `key, started_at, fold, user, connection, runbook, ${length} AS length`,
      MAX_LOOKED_AT_SESSIONS,
    )
    const found = this.#all(
      `SELECT key, started_at, fold FROM ${lookedAt} AS sessions ${whereOf(asked.texts)} ORDER BY ${orders.list}`,
      [...valuesOf(filters), ...valuesOf(asked.texts)],
    ) as [number, number, string | null][]
    const count = `SELECT count(*) FROM ${source('1', MAX_LOOKED_AT_SESSIONS + 1)}`
    const [[seen]] = this.#all(count, valuesOf(filters)) as [[number]]
    return {
      rows: foldedRows(found.map(foldable), folding),
      searched: {
        sessions: Math.min(seen, MAX_LOOKED_AT_SESSIONS),
        areAll: seen <= MAX_LOOKED_AT_SESSIONS,
        shortened: parameter === undefined ? 0 : this.#shortened(lookedAt, filters, asked.texts),
      },
    }
  }

  /** The groups among the rows, by the key of the session that stands for a group. */
  groups(rows: readonly FoldedRow[]): Map<number, SessionGroup> {
    const groups = new Map<number, SessionGroup>()
    for (const row of rows) {
      const group = this.#folded.group(row)
      if (group !== undefined) groups.set(row[0].key, group)
    }
    return groups
  }

  /** Counts sessions that do not match, but have longer values than the part that is searched. */
  #shortened(lookedAt: string, filters: readonly Condition[], texts: readonly Condition[]): number {
    const matches = texts.map(({ sql }) => `(${sql})`).join(' AND ')
    const sql = `SELECT count(*) FROM ${lookedAt} AS sessions JOIN session_values ON session = sessions.key
      WHERE is_cut AND NOT (${matches})`
    const [[count]] = this.#all(sql, [...valuesOf(filters), ...valuesOf(texts)]) as [[number]]
    return count
  }

  #all(sql: string, values: readonly (string | number | null)[]): unknown[] {
    const statement = this.#statements.get(sql) ?? this.#db.prepare(sql).raw()
    this.#statements.set(sql, statement)
    return statement.all(values)
  }
}

function foldable([key, startedAt, fold]: [number, number, string | null]): Foldable {
  return { key, startedAt, fold }
}
