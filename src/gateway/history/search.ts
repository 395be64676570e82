import type { SessionParts } from './rows.ts'
import type { SessionQuery } from './session.ts'
import type { Connection, SqlStatement } from '../store/sqlite.ts'

type Filter = Exclude<keyof SessionQuery, 'limit' | 'offset' | 'count' | (typeof LIKE_FILTERS)[number]>

/** Filters that are SQL LIKE patterns, and their columns. */
const LIKE = { user: 'user', connection: 'connection', connectionType: 'connection_type' } as const
const LIKE_FILTERS = [...(Object.keys(LIKE) as (keyof typeof LIKE)[]), 'reviewStatus'] as const
/** Where a count that is capped stops: SQLite counts as many in a few milliseconds, and nobody pages further. */
const COUNT_CAP = 10_000

/** Sessions that are looked at in one go: each may have 64 KiB of labels and metadata. */
const STEP = 50

const CONDITIONS = {
  correlationId: 'correlation_id = ?',
  sessionBatchId: 'batch_id = ?',
  from: 'started_at >= ?',
  to: 'started_at <= ?',
} as const
const FILTERS: readonly Filter[] = [
  'viewer',
  'reviewGroups',
  'issueKeys',
  ...(Object.keys(CONDITIONS) as (keyof typeof CONDITIONS)[]),
]

interface Condition {
  readonly sql: string
  readonly values: readonly (string | number | null)[]
}

interface Statements {
  readonly page: SqlStatement
  readonly step: SqlStatement
  readonly exact: SqlStatement
  readonly capped: SqlStatement
}

interface Total {
  /** Sessions on all pages; undefined where they were not to be counted. */
  readonly total: number | undefined
  /** There are more than `total`. */
  readonly isCapped: boolean
}

/** Matching rows among some that follow each other, in the order in which they began to be recorded. */
export interface FoundStep {
  readonly rows: readonly unknown[]
  /** The key of the last that was looked at. */
  readonly until: number
}

export interface FoundRows extends Total {
  /** One page, newest session first. */
  readonly rows: readonly unknown[]
  readonly hasMore: boolean
}

/**
 * The statements that find sessions, prepared once for each set of filters. One statement for all would have filters that
 * are always true, and these keep SQLite from using an index.
 */
export class Search {
  readonly #db: Connection
  readonly #columns: string
  readonly #sql: Readonly<Record<Filter | (typeof LIKE_FILTERS)[number], string>>
  readonly #lastOfStep: SqlStatement
  /** At most one entry for each set of filters, with or without wildcards. */
  readonly #statements = new Map<string, Statements>()

  /** @param joined filters that look at other tables */
  constructor(db: Connection, columns: string, joined: SessionParts['filters']) {
    this.#db = db
    this.#columns = columns
    this.#sql = { ...LIKE, ...CONDITIONS, ...joined }
    this.#lastOfStep = db
      .prepare(
        `SELECT max(key) FROM (SELECT key FROM sessions WHERE key > ? AND key <= ? ORDER BY key LIMIT ${STEP})`,
      )
      .raw()
  }

  find(query: SessionQuery): FoundRows {
    const conditions = this.#conditions(query)
    const values = conditions.flatMap((condition) => condition.values)
    const statements = this.#of(conditions.map(({ sql }) => sql))
    const counted = total(statements, values, query.count)
    // Looking for what is not there takes longest.
    if (counted.total !== undefined && counted.total <= query.offset && !counted.isCapped)
      return { rows: [], hasMore: false, ...counted }
    // One more than asked for, to see whether there are more.
    const rows = statements.page.all([...values, query.limit + 1, query.offset])
    return {
      rows: rows.slice(0, query.limit),
      hasMore: rows.length > query.limit,
      ...counted,
    }
  }

  /**
   * Looks at the next sessions behind a key. A step takes the same time, whatever the filters: what matches may be rare.
   * @returns undefined where none follows
   */
  step(query: SessionQuery, behind: number, newest: number): FoundStep | undefined {
    const [until] = this.#lastOfStep.get([behind, newest]) as [number | null]
    if (until === null) return undefined
    const conditions = this.#conditions(query)
    const values = conditions.flatMap((condition) => condition.values)
    const { step } = this.#of(conditions.map(({ sql }) => sql))
    return { rows: step.all([...values, behind, until]), until }
  }

  #conditions(query: SessionQuery): Condition[] {
    return [...likeConditions(query, this.#sql), ...otherConditions(query, this.#sql)]
  }

  #of(conditions: readonly string[]): Statements {
    const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`
    const known = this.#statements.get(where) ?? this.#prepare(where)
    this.#statements.set(where, known)
    return known
  }

  #prepare(where: string): Statements {
    const order = 'ORDER BY started_at DESC, key DESC'
    // The inner query needs an index alone, the outer one the rows of one page.
    const keys = `SELECT key FROM sessions ${where} ${order} LIMIT ? OFFSET ?`
    const reading = (sql: string): SqlStatement => this.#db.prepare(sql).raw()
    return {
      page: reading(
        `SELECT ${this.#columns} FROM sessions WHERE key IN (${keys}) ORDER BY +started_at DESC, +key DESC`,
      ),
      // By the keys alone: an index would bring all that matches, to be sorted for each step.
      step: reading(
        `SELECT ${this.#columns} FROM sessions NOT INDEXED ${where === '' ? 'WHERE' : `${where} AND`} key > ? AND key <= ? ORDER BY key`,
      ),
      exact: reading(`SELECT count(*) FROM sessions ${where}`),
      capped: reading(`SELECT count(*) FROM (SELECT 1 FROM sessions ${where} LIMIT ${COUNT_CAP + 1})`),
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

function* likeConditions(
  query: SessionQuery,
  sql: Readonly<Record<(typeof LIKE_FILTERS)[number], string>>,
): Generator<Condition> {
  for (const filter of LIKE_FILTERS) {
    const pattern = query[filter]
    if (pattern === undefined) continue
    const { operator, value } = likeMatch(pattern)
    // With a plus no index is searched for it: SQLite would take one that lacks the other columns, for patterns that
    // most sessions fit.
    const column = operator === 'GLOB' ? `+${sql[filter]}` : sql[filter]
    yield { sql: `${column} ${operator} ?`, values: [value] }
  }
}

function* otherConditions(query: SessionQuery, sql: Readonly<Record<Filter, string>>): Generator<Condition> {
  for (const filter of FILTERS) {
    const value = query[filter]
    if (value !== undefined) yield { sql: sql[filter], values: bound(value) }
  }
}

function bound(value: NonNullable<SessionQuery[Filter]>): readonly (string | number)[] {
  if (value instanceof Date) return [value.getTime()]
  if (typeof value === 'string') return [value]
  return 'name' in value ? [value.name, JSON.stringify(value.groups)] : [JSON.stringify(value)]
}

/** What an SQL LIKE pattern asks for, in terms that SQLite compares as PostgreSQL does: its own LIKE ignores case. */
interface LikeMatch {
  readonly operator: '=' | 'GLOB'
  /** Null equals nothing. */
  readonly value: string | null
}

/** `%` stands for anything, `_` for one character; a backslash takes the meaning from what follows. */
function likeMatch(pattern: string): LikeMatch {
  const unescaped = pattern.replace(/\\[^]/gu, '')
  // PostgreSQL refuses it. Nothing has such a name.
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
