import { askedOf, mayMatch, valuesOf, whereOf, type Joined, type Values } from './conditions.ts'
import { RECORDED_OUTCOMES } from './end-states.ts'
import { Gathering, needsGathering } from './gathering.ts'
import type { Searched, SessionGroup, SessionQuery } from './session.ts'
import type { Connection, SqlStatement } from '../store/sqlite.ts'

/**
 * Maximum number that a search counts. SQLite counts so many sessions in a few milliseconds, and users do not
 * page further.
 */
const COUNT_CAP = 10_000

/** Number of sessions that one step reads. Each session may have 64 KiB of labels and metadata. */
const STEP = 50
/** Condition of sessions that waited for more than a second before they began, for example for an approval. */
export const BEGAN_LATER = 'began_at > started_at + 1000'

interface Statements {
  readonly page: SqlStatement
  readonly step: SqlStatement
  readonly exact: SqlStatement
  readonly capped: SqlStatement
}

export type SpanQuery = SessionQuery & { readonly from: Date; readonly to: Date }

/** Number of sessions by outcome. All open sessions count under `open`. */
export interface OutcomeCounts {
  readonly counts: ReadonlyMap<string, number>
  /** True if the span has more sessions than the limit. Then not all sessions were counted. */
  readonly isCapped: boolean
}

interface Total {
  /** Number of sessions on all pages; undefined if the query asks for no count. */
  readonly total: number | undefined
  /** True if there are more sessions than `total`. */
  readonly isCapped: boolean
}

/**
 * The matching rows of one step, which reads some consecutive sessions. The order is the order in which
 * recording began.
 */
interface FoundStep {
  readonly rows: readonly unknown[]
  /** Key of the last session read. */
  readonly until: number
}

export interface FoundRows extends Total {
  /** One page. */
  readonly rows: readonly unknown[]
  readonly hasMore: boolean
  /** By the keys of rows. */
  readonly groups?: ReadonlyMap<number, SessionGroup>
  readonly searched?: Searched
}

/** SQL of the columns of a page, and of a step of a walk. */
interface Columns {
  readonly page: string
  readonly step: string
}

/**
 * Prepares one statement for each set of filters. A single statement for all sets would need filters that are
 * always true, and such filters would keep SQLite from using an index.
 */
export class Search {
  readonly #db: Connection
  readonly #columns: Columns
  readonly #joined: Joined
  readonly #lastOfStep: SqlStatement
  readonly #ofKeys: SqlStatement
  readonly #gathering: Gathering
  /**
   * The prepared statements by their SQL. Each set of filters has at most two, with and without wildcards.
   */
  readonly #statements = new Map<string, Statements>()
  /** The prepared statements that count outcomes, also at most two for each set of filters. */
  readonly #countings = new Map<string, SqlStatement>()

  constructor(db: Connection, columns: Columns, joined: Joined) {
    this.#db = db
    this.#columns = columns
    this.#joined = joined
    this.#lastOfStep = db
      .prepare(
        `SELECT max(key) FROM (SELECT key FROM sessions WHERE key > ? AND key <= ? ORDER BY key LIMIT ${STEP})`,
      )
      .raw()
    this.#ofKeys = db
      .prepare(
        `SELECT ${columns.page} FROM (SELECT key AS place, value AS wanted FROM json_each(?)) CROSS JOIN sessions ON sessions.key = wanted ORDER BY place`,
      )
      .raw()
    this.#gathering = new Gathering(db, joined)
  }

  find(query: SessionQuery): FoundRows {
    if (needsGathering(query)) return this.#gather(query)
    const { filters } = askedOf(query, this.#joined)
    const values = valuesOf(filters)
    const statements = this.#of(whereOf(filters))
    const counted = total(statements, values, query.count)
    // This page has no match. The search is skipped, because a search without a match takes longest.
    if (counted.total !== undefined && counted.total <= query.offset && !counted.isCapped)
      return { rows: [], hasMore: false, ...counted }
    // Asks for one more row, which tells whether another page follows.
    const rows = statements.page.all([...values, query.limit + 1, query.offset])
    return {
      rows: rows.slice(0, query.limit),
      hasMore: rows.length > query.limit,
      ...counted,
    }
  }

  #gather(query: SessionQuery): FoundRows {
    const { offset, limit, count } = query
    const { rows, searched } = this.#gathering.gather(query)
    const page = rows.slice(offset, offset + limit)
    return {
      rows: this.ofKeys(page.map(([{ key }]) => key)),
      hasMore: rows.length > offset + limit,
      groups: this.#gathering.groups(page),
      ...cappedTotal(rows.length, count),
      searched,
    }
  }

  /** Keys of the sessions of a list in its order, at most as many as a search counts. */
  listedKeys(query: SessionQuery): number[] {
    const { rows } = this.#gathering.gather({ ...query, folding: undefined })
    return rows.slice(0, COUNT_CAP).map(([{ key }]) => key)
  }

  /** The rows in the order of the keys. */
  ofKeys(keys: readonly number[]): readonly unknown[] {
    return this.#ofKeys.all([JSON.stringify(keys)])
  }

  /**
   * Each step reads the same number of sessions, because matches may be rare.
   * @returns undefined when no session follows
   */
  step(query: SessionQuery, behind: number, newest: number): FoundStep | undefined {
    const [until] = this.#lastOfStep.get([behind, newest]) as [number | null]
    if (until === null) return undefined
    const { filters, texts } = askedOf(query, this.#joined)
    const all = [...filters, ...texts]
    return { rows: this.#of(whereOf(all)).step.all([...valuesOf(all), behind, until]), until }
  }

  /**
   * Counts sessions by outcome. Ignores the page, the order and the texts of the query.
   * @param most maximum number of sessions that are read, whether they match or not. Without this limit,
   * filters with few matches would read all sessions of the span.
   */
  outcomes(query: SpanQuery, most: number): OutcomeCounts {
    const { from, to } = query
    const { filters } = askedOf(
      { ...query, parameter: undefined, from: undefined, to: undefined },
      this.#joined,
    )
    const values = valuesOf(filters)
    const statement = this.#counting(filters.map(({ sql }) => sql).join(' AND '))
    const counts = new Map<string, number>()
    let left = most
    for (const outcome of RECORDED_OUTCOMES.filter((one) => mayMatch(query, one))) {
      const span = [outcome, Number(from), Number(to)]
      const [count, seen] = statement.get([...values, ...span, ...span, left + 1]) as number[]
      counts.set(outcome, Math.min(count ?? 0, left))
      left -= seen ?? 0
      if (left < 0) break
    }
    return { counts, isCapped: left < 0 }
  }

  /**
   * Selects only the columns of the index by outcome, and ids if the conditions use them. A session that waited
   * counts at the time at which it began.
   */
  #counting(conditions: string): SqlStatement {
    const ids = ['id', 'correlation_id', 'batch_id'].filter((id) =>
      new RegExp(`\\b${id}\\b`).test(conditions),
    )
    const columns = 'key outcome user connection connection_type kind runbook end_code fold'
      .split(' ')
      .concat(ids)
    const known = this.#countings.get(conditions)
    const statement =
      known ??
      this.#db
        .prepare(
          `SELECT count(*) FILTER (WHERE ${conditions === '' ? 'TRUE' : conditions}), count(*) FROM
            (SELECT * FROM (
              SELECT ${columns.join()} FROM sessions
                WHERE outcome = ? AND started_at >= ? AND started_at <= ? AND (${BEGAN_LATER}) IS NOT TRUE
              UNION ALL
              SELECT ${columns.join()} FROM sessions
                WHERE +outcome = ? AND began_at >= ? AND began_at <= ? AND ${BEGAN_LATER}
              ) LIMIT ?) AS sessions`,
        )
        .raw()
    this.#countings.set(conditions, statement)
    return statement
  }

  #of(where: string): Statements {
    const known = this.#statements.get(where) ?? this.#prepare(where)
    this.#statements.set(where, known)
    return known
  }

  #prepare(where: string): Statements {
    const reading = (sql: string): SqlStatement => this.#db.prepare(sql).raw()
    const source = `sessions ${where}`
    // The inner query reads only an index. The outer query reads only the rows of one page.
    const keys = `SELECT key FROM ${source} ORDER BY started_at DESC, key DESC LIMIT ? OFFSET ?`
    return {
      page: reading(
        `SELECT ${this.#columns.page} FROM sessions WHERE key IN (${keys}) ORDER BY +started_at DESC, +key DESC`,
      ),
      // Reads the sessions by key. With another index, SQLite would find and sort all matches again for each
      // step.
      step: reading(
        `SELECT ${this.#columns.step} FROM sessions NOT INDEXED ${where === '' ? 'WHERE' : `${where} AND`} key > ? AND key <= ? ORDER BY key`,
      ),
      exact: reading(`SELECT count(*) FROM ${source}`),
      capped: reading(`SELECT count(*) FROM (SELECT 1 FROM ${source} LIMIT ${COUNT_CAP + 1})`),
    }
  }
}

function total({ exact, capped }: Statements, values: Values, how: SessionQuery['count']): Total {
  if (how === 'none') return { total: undefined, isCapped: false }
  const [count] = (how === 'exact' ? exact : capped).get(values) as [number]
  return cappedTotal(count, how)
}

function cappedTotal(count: number, how: SessionQuery['count']): Total {
  if (how === 'none') return { total: undefined, isCapped: false }
  const isCapped = how !== 'exact' && count > COUNT_CAP
  return { total: isCapped ? COUNT_CAP : count, isCapped }
}
