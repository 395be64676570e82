import type { SessionParts } from './rows.ts'
import { RECORDED_OUTCOMES } from './end-states.ts'
import type { SessionQuery } from './session.ts'
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
/** Maximum number of sessions whose parameters are searched. Each search takes microseconds. */
const PARAMETERS_LOOKED_AT = 20_000
/**
 * Longer requests are listed without labels, and are not searched. A list with hundreds of requests of 16 MiB
 * would block all users.
 */
export const LISTED_REQUEST_BYTES = 64 * 1024

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

const PARAMETERS = "json_extract(request, '$.labels.runbookParameters')"
/**
 * First searches the text of the whole request. Parses only the requests with a match as JSON, because
 * parsing every request is slower.
 */
const HAS_PARAMETER = `CASE WHEN octet_length(request) <= ${LISTED_REQUEST_BYTES}
  THEN instr(lower(request), ?) > 0 AND EXISTS (
    SELECT 1 FROM json_each(CASE WHEN json_valid(${PARAMETERS}) THEN ${PARAMETERS} ELSE '{}' END)
    WHERE instr(lower(value), ?) > 0) END`
/** Avoids reading requests that are too long to be searched. */
const SHORT_REQUEST = `CASE WHEN octet_length(request) <= ${LISTED_REQUEST_BYTES} THEN request END AS request`

type Joined = SessionParts['filters']

/** Condition of sessions that waited for more than a second before they began, for example for an approval. */
export const BEGAN_LATER = 'began_at > started_at + 1000'

interface Condition {
  readonly sql: string
  readonly values: readonly (string | number | null)[]
}

/** For `conditions`, SQLite reads only columns of an index. For `within`, SQLite has to read the rows. */
interface Asked {
  readonly conditions: readonly Condition[]
  readonly within: Condition | undefined
}

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
  /** One page, newest session first. */
  readonly rows: readonly unknown[]
  readonly hasMore: boolean
}

/**
 * Prepares one statement for each set of filters. A single statement for all sets would need filters that are
 * always true, and such filters would keep SQLite from using an index.
 */
export class Search {
  readonly #db: Connection
  readonly #columns: string
  readonly #joined: Joined
  readonly #lastOfStep: SqlStatement
  /**
   * The prepared statements by their SQL. Each set of filters has at most two, with and without wildcards.
   */
  readonly #statements = new Map<string, Statements>()
  /** The prepared statements that count outcomes, also at most two for each set of filters. */
  readonly #countings = new Map<string, SqlStatement>()

  constructor(db: Connection, columns: string, joined: Joined) {
    this.#db = db
    this.#columns = columns
    this.#joined = joined
    this.#lastOfStep = db
      .prepare(
        `SELECT max(key) FROM (SELECT key FROM sessions WHERE key > ? AND key <= ? ORDER BY key LIMIT ${STEP})`,
      )
      .raw()
  }

  find(query: SessionQuery): FoundRows {
    const asked = askedOf(query, this.#joined)
    const values = valuesOf(asked)
    const statements = this.#of(asked)
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

  /**
   * Each step reads the same number of sessions, because matches may be rare.
   * @returns undefined when no session follows
   */
  step(query: SessionQuery, behind: number, newest: number): FoundStep | undefined {
    const [until] = this.#lastOfStep.get([behind, newest]) as [number | null]
    if (until === null) return undefined
    const asked = askedOf(query, this.#joined)
    return { rows: this.#of(asked).step.all([...valuesOf(asked), behind, until]), until }
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
    const key = `${where} | ${asked.within?.sql ?? ''}`
    const known = this.#statements.get(key) ?? this.#prepare(where, asked.within?.sql)
    this.#statements.set(key, known)
    return known
  }

  #prepare(where: string, within: string | undefined): Statements {
    const order = 'ORDER BY started_at DESC, key DESC'
    const reading = (sql: string): SqlStatement => this.#db.prepare(sql).raw()
    const source =
      within === undefined
        ? `sessions ${where}`
        : `(SELECT key, started_at, ${SHORT_REQUEST} FROM sessions ${where} ${order} LIMIT ${PARAMETERS_LOOKED_AT}) WHERE ${within}`
    // The inner query reads only an index. The outer query reads only the rows of one page.
    const keys = `SELECT key FROM ${source} ${order} LIMIT ? OFFSET ?`
    const all = [where.replace(/^WHERE /, ''), within ?? '', 'key > ? AND key <= ?'].filter(Boolean)
    return {
      page: reading(
        `SELECT ${this.#columns} FROM sessions WHERE key IN (${keys}) ORDER BY +started_at DESC, +key DESC`,
      ),
      // Reads the sessions by key. With another index, SQLite would find and sort all matches again for each
      // step.
      step: reading(
        `SELECT ${this.#columns} FROM sessions NOT INDEXED WHERE ${all.join(' AND ')} ORDER BY key`,
      ),
      exact: reading(`SELECT count(*) FROM ${source}`),
      capped: reading(`SELECT count(*) FROM (SELECT 1 FROM ${source} LIMIT ${COUNT_CAP + 1})`),
    }
  }
}

function total(
  { exact, capped }: Statements,
  values: Condition['values'],
  how: SessionQuery['count'],
): Total {
  if (how === 'none') return { total: undefined, isCapped: false }
  const [count] = (how === 'exact' ? exact : capped).get(values) as [number]
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
  if (parameter === undefined) return { conditions, within: undefined }
  const text = parameter.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
  return {
    conditions: [...conditions, { sql: '+runbook IS NOT NULL', values: [] }],
    // The text is escaped twice, because the parameters are JSON inside the JSON of the request.
    within: { sql: HAS_PARAMETER, values: [inJson(inJson(text)), text] },
  }
}

/** Values in the order of the statements' placeholders. */
function valuesOf({ conditions, within }: Asked): Condition['values'] {
  return [...conditions, ...(within === undefined ? [] : [within])].flatMap(({ values }) => values)
}

function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1)
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

/**
 * The translation of a LIKE pattern, with the meaning that LIKE has in PostgreSQL. SQLite's own LIKE ignores
 * case.
 */
interface LikeMatch {
  readonly operator: '=' | 'GLOB'
  /** Null matches no session. */
  readonly value: string | null
}

/**
 * Translates a LIKE pattern: `%` means any text, `_` means one character, and a backslash escapes the next
 * character.
 */
function likeMatch(pattern: string): LikeMatch {
  const unescaped = pattern.replace(/\\[^]/gu, '')
  // PostgreSQL rejects a trailing backslash. Here such a pattern matches nothing.
  if (unescaped.endsWith('\\')) return { operator: '=', value: null }
  if (!/[%_]/.test(unescaped)) return { operator: '=', value: pattern.replace(/\\([^])/gu, '$1') }
  return { operator: 'GLOB', value: pattern.replace(/\\([^])|[%_*?[]/gu, toGlob) }
}

function toGlob(found: string, escaped: string | undefined): string {
  if (escaped === undefined && found === '%') return '*'
  if (escaped === undefined && found === '_') return '?'
  const letter = escaped ?? found
  return '*?['.includes(letter) ? `[${letter}]` : letter
}
