import type { SessionParts } from './rows.ts'
import { RECORDED_OUTCOMES } from './end-states.ts'
import type { Searched, SessionQuery } from './session.ts'
import { likeMatch } from './like.ts'
import { HAS_TEXT } from './values.ts'
import type { Outcome } from '../../contract/session-state.ts'
import type { Connection, SqlStatement } from '../store/sqlite.ts'

/** The columns that are compared with SQL LIKE patterns. */
const LIKE = {
  user: 'user',
  connection: 'connection',
  connectionType: 'connection_type',
  runbook: 'runbook',
} as const
const LIKE_FILTERS = [...(Object.keys(LIKE) as (keyof typeof LIKE)[]), 'reviewStatus'] as const
/**
 * Maximum number that a search counts. SQLite counts so many sessions in a few milliseconds, and users do not
 * page further.
 */
const COUNT_CAP = 10_000

/** Number of sessions that one step reads. Each session may have 64 KiB of labels and metadata. */
const STEP = 50
/** Maximum number of sessions whose parameters a page searches. A search takes about a microsecond for each. */
const PARAMETERS_LOOKED_AT = 20_000
/**
 * The plus prevents that SQLite uses an index by kind. Such an index helps little, because there are only a
 * few kinds.
 */
const CONDITIONS = {
  correlationId: 'correlation_id = ?',
  sessionBatchId: 'batch_id = ?',
  kind: '+kind = ?',
  from: 'started_at >= ?',
  to: 'started_at <= ?',
} as const
const FILTERS = [
  'reviewGroups',
  'issueKeys',
  ...(Object.keys(CONDITIONS) as (keyof typeof CONDITIONS)[]),
] as const

type Joined = SessionParts['filters']

/** Condition of sessions that waited for more than a second before they began, for example for an approval. */
export const BEGAN_LATER = 'began_at > started_at + 1000'

type Values = readonly (string | number | null)[]

interface Condition {
  readonly sql: string
  readonly values: Values
}

/** For `conditions`, SQLite reads only columns of an index. The text is searched in the table of values. */
interface Asked {
  readonly conditions: readonly Condition[]
  /** Text in lower case that the values of the parameters contain. */
  readonly text: string | undefined
}

interface Statements {
  readonly page: SqlStatement
  readonly step: SqlStatement
  readonly exact: SqlStatement
  readonly capped: SqlStatement
  /** Keys of the sessions that contain a text, newest session first, and the number of others that were cut. */
  readonly withText: SqlStatement
  /** Counts one session more than are searched. */
  readonly searchable: SqlStatement
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
  /** One page, newest session first. */
  readonly rows: readonly unknown[]
  readonly hasMore: boolean
  /** Set if the query has a parameter. */
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
        `SELECT ${columns.page} FROM sessions WHERE key IN (SELECT value FROM json_each(?)) ORDER BY +started_at DESC, +key DESC`,
      )
      .raw()
  }

  find(query: SessionQuery): FoundRows {
    const asked = askedOf(query, this.#joined)
    const values = asked.conditions.flatMap((condition) => condition.values)
    const statements = this.#of(asked)
    if (asked.text !== undefined) return this.#findText(query, statements, asked.text, values)
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

  /** Reads the values once, for the page and for the count. */
  #findText(query: SessionQuery, statements: Statements, text: string, values: Values): FoundRows {
    const { offset, limit, count } = query
    const [searchable] = statements.searchable.get(values) as [number]
    const [found, shortened] = statements.withText.get([text, ...values]) as [string, number]
    const keys = JSON.parse(found) as number[]
    const page = JSON.stringify(keys.slice(offset, offset + limit))
    return {
      rows: this.#ofKeys.all([page]),
      hasMore: keys.length > offset + limit,
      ...cappedTotal(keys.length, count),
      searched: {
        sessions: Math.min(searchable, PARAMETERS_LOOKED_AT),
        areAll: searchable <= PARAMETERS_LOOKED_AT,
        shortened,
      },
    }
  }

  /**
   * Each step reads the same number of sessions, because matches may be rare.
   * @returns undefined when no session follows
   */
  step(query: SessionQuery, behind: number, newest: number): FoundStep | undefined {
    const [until] = this.#lastOfStep.get([behind, newest]) as [number | null]
    if (until === null) return undefined
    const asked = askedOf(query, this.#joined)
    const values = asked.conditions.flatMap((condition) => condition.values)
    const text = asked.text === undefined ? [] : [asked.text]
    return { rows: this.#of(asked).step.all([...values, ...text, behind, until]), until }
  }

  /**
   * Counts sessions by outcome. Ignores the page and the parameter of the query.
   * @param most maximum number of sessions that are read, whether they match or not. Without this limit,
   * filters with few matches would read all sessions of the span.
   */
  outcomes(query: SpanQuery, most: number): OutcomeCounts {
    const { from, to } = query
    const filters = { ...query, parameter: undefined, from: undefined, to: undefined }
    const { conditions } = askedOf(filters, this.#joined)
    const values = conditions.flatMap((condition) => condition.values)
    const statement = this.#counting(conditions.map(({ sql }) => sql).join(' AND '))
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
    const columns = ['key', 'outcome', 'user', 'connection', 'connection_type', 'kind', 'runbook', ...ids]
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

  #of(asked: Asked): Statements {
    const conditions = asked.conditions.map(({ sql }) => sql)
    const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`
    const key = `${where} | ${asked.text === undefined ? '' : 'text'}`
    const known = this.#statements.get(key) ?? this.#prepare(where, asked.text !== undefined)
    this.#statements.set(key, known)
    return known
  }

  #prepare(where: string, hasText: boolean): Statements {
    const order = 'ORDER BY started_at DESC, key DESC'
    const reading = (sql: string): SqlStatement => this.#db.prepare(sql).raw()
    const source = `sessions ${where}`
    // The inner query reads only an index. The outer query reads only the rows of one page.
    const keys = `SELECT key FROM ${source} ${order} LIMIT ? OFFSET ?`
    const newest = `SELECT key, started_at FROM ${source} ${order} LIMIT ${PARAMETERS_LOOKED_AT}`
    const all = [where.replace(/^WHERE /, ''), hasText ? HAS_TEXT : '', 'key > ? AND key <= ?'].filter(
      Boolean,
    )
    return {
      page: reading(
        `SELECT ${this.#columns.page} FROM sessions WHERE key IN (${keys}) ORDER BY +started_at DESC, +key DESC`,
      ),
      // Reads the sessions by key. With another index, SQLite would find and sort all matches again for each
      // step.
      step: reading(
        `SELECT ${this.#columns.step} FROM sessions NOT INDEXED WHERE ${all.join(' AND ')} ORDER BY key`,
      ),
      exact: reading(`SELECT count(*) FROM ${source}`),
      capped: reading(`SELECT count(*) FROM (SELECT 1 FROM ${source} LIMIT ${COUNT_CAP + 1})`),
      withText: reading(
        `SELECT json_group_array(key ORDER BY started_at DESC, key DESC) FILTER (WHERE is_match),
           count(*) FILTER (WHERE is_cut AND NOT is_match)
         FROM (SELECT key, started_at, is_cut, instr(text, ?) > 0 AS is_match
           FROM (${newest}) JOIN session_values ON session = key)`,
      ),
      searchable: reading(`SELECT count(*) FROM (SELECT 1 FROM ${source} LIMIT ${PARAMETERS_LOOKED_AT + 1})`),
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

function askedOf(query: SessionQuery, joined: Joined): Asked {
  const { parameter } = query
  const conditions = [
    ...likeConditions(query, { ...LIKE, ...joined }),
    ...viewerConditions(query, joined),
    ...outcomeConditions(query, joined),
    ...otherConditions(query, { ...CONDITIONS, ...joined }),
  ]
  if (parameter === undefined) return { conditions, text: undefined }
  return {
    conditions: [...conditions, { sql: '+runbook IS NOT NULL', values: [] }],
    text: parameter.replace(/[A-Z]/g, (letter) => letter.toLowerCase()),
  }
}

function* likeConditions(
  query: SessionQuery,
  sql: Readonly<Record<(typeof LIKE_FILTERS)[number], string>>,
): Generator<Condition> {
  for (const filter of LIKE_FILTERS) {
    const pattern = query[filter]
    if (pattern === undefined) continue
    const { operator, value } = likeMatch(pattern)
    // The plus prevents that SQLite uses an index by this column. The index lacks the columns of the other
    // filters. So the index is slow for a pattern that matches most sessions.
    const column = operator === 'GLOB' ? `+${sql[filter]}` : sql[filter]
    yield { sql: `${column} ${operator} ?`, values: [value] }
  }
}

function* viewerConditions({ viewer }: SessionQuery, joined: Joined): Generator<Condition> {
  if (viewer === undefined) return
  const values = [viewer.name, JSON.stringify(viewer.groups)]
  const { team } = viewer
  if (team === undefined) yield { sql: joined.viewer, values }
  else {
    const lists = [team.all, team.connections, team.users].map((list) => JSON.stringify(list))
    yield { sql: joined.teamViewer, values: [...values, ...lists] }
  }
}

const OF_OPEN: ReadonlySet<Outcome> = new Set(['waiting', 'approved', 'running'])

function mayMatch({ outcomes }: SessionQuery, recorded: string): boolean {
  return outcomes?.some((one) => (OF_OPEN.has(one) ? 'open' : one) === recorded) ?? true
}

const IN_LIST = 'IN (SELECT value FROM json_each(?))'

function* outcomeConditions({ outcomes }: SessionQuery, { openOutcome }: Joined): Generator<Condition> {
  if (outcomes === undefined) return
  const open = outcomes.filter((outcome) => OF_OPEN.has(outcome))
  const ended = outcomes.filter((outcome) => !OF_OPEN.has(outcome))
  const [only] = ended
  if (open.length === 0 && ended.length === 1 && only !== undefined)
    yield { sql: 'outcome = ?', values: [only] }
  else if (open.length === 0) {
    // Most sessions succeed. A scan in the order of the list finds them sooner than an index by outcome does.
    const column = ended.includes('succeeded') ? '+outcome' : 'outcome'
    yield { sql: `${column} ${IN_LIST}`, values: [JSON.stringify(ended)] }
  } else if (ended.length === 0)
    yield { sql: `outcome = 'open' AND ${openOutcome} ${IN_LIST}`, values: [JSON.stringify(open)] }
  else {
    const sql = `(+outcome ${IN_LIST} OR (+outcome = 'open' AND ${openOutcome} ${IN_LIST}))`
    yield { sql, values: [JSON.stringify(ended), JSON.stringify(open)] }
  }
}

function* otherConditions(
  query: SessionQuery,
  sql: Readonly<Record<(typeof FILTERS)[number], string>>,
): Generator<Condition> {
  for (const filter of FILTERS) {
    const value = query[filter]
    if (value !== undefined) yield { sql: sql[filter], values: [bound(value)] }
  }
}

function bound(value: string | Date | readonly string[]): string | number {
  if (value instanceof Date) return value.getTime()
  return typeof value === 'string' ? value : JSON.stringify(value)
}
