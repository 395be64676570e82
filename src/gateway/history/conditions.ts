import type { SessionParts } from './rows.ts'
import { scheduleFold } from './folds.ts'
import { codesOf } from './end-states.ts'
import type { SessionQuery } from './session.ts'
import { likeMatch } from './like.ts'
import { HAS_VALUE, HAS_WORD } from './values.ts'
import { outcomeOf, type Outcome } from '../../contract/session-state.ts'

// SQL conditions of the filters of a list of sessions.

/** The columns that are compared with SQL LIKE patterns. */
const LIKE = {
  user: 'user',
  connection: 'connection',
  connectionType: 'connection_type',
  runbook: 'runbook',
} as const
const LIKE_FILTERS = [...(Object.keys(LIKE) as (keyof typeof LIKE)[]), 'reviewStatus'] as const
/**
 * The plus prevents that SQLite uses an index by kind. Such an index helps little, because there are only a
 * few kinds.
 */
const CONDITIONS = {
  correlationId: 'correlation_id = ?',
  sessionBatchId: 'batch_id = ?',
  schedule: 'fold = ?',
  kind: '+kind = ?',
  from: 'started_at >= ?',
  to: 'started_at <= ?',
} as const
const FILTERS = [
  'reviewGroups',
  'issueKeys',
  ...(Object.keys(CONDITIONS) as (keyof typeof CONDITIONS)[]),
] as const

export type Joined = SessionParts['filters']

export type Values = readonly (string | number | null)[]

export interface Condition {
  readonly sql: string
  readonly values: Values
}

/** SQLite reads only columns of an index for `filters`, and searches the table of values for `texts`. */
export interface Asked {
  readonly filters: readonly Condition[]
  readonly texts: readonly Condition[]
}

/** A form may read many lists. Nobody who looks for a run wants to see them. */
const WITHOUT_LISTS: Condition = { sql: "+kind <> 'list'", values: [] }

export function askedOf(query: SessionQuery, joined: Joined): Asked {
  return {
    filters: [
      ...likeConditions(query, { ...LIKE, ...joined }),
      ...viewerConditions(query, joined),
      ...statusConditions(query, joined),
      ...otherConditions(query, { ...CONDITIONS, ...joined }),
      ...(query.parameter === undefined ? [] : [{ sql: '+runbook IS NOT NULL', values: [] }]),
      ...(query.kind === undefined ? [WITHOUT_LISTS] : []),
    ],
    texts: [
      ...(query.parameter === undefined ? [] : [{ sql: HAS_VALUE, values: [lowerCase(query.parameter)] }]),
      ...(query.words ?? []).map((word) => ({ sql: HAS_WORD, values: [lowerCase(word)] })),
    ],
  }
}

/** Returns the text in lower case as SQLite's `lower` does: only letters of ASCII change. */
function lowerCase(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
}

export function whereOf(conditions: readonly Condition[]): string {
  return conditions.length === 0 ? '' : `WHERE ${conditions.map(({ sql }) => sql).join(' AND ')}`
}

export function valuesOf(conditions: readonly Condition[]): Values {
  return conditions.flatMap(({ values }) => values)
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

/** Whether a session with this recorded outcome may match. */
export function mayMatch({ outcomes, endStates }: SessionQuery, recorded: string): boolean {
  if (outcomes === undefined && endStates === undefined) return true
  const all = [...(outcomes ?? []), ...(endStates ?? []).map(outcomeOf)]
  return all.some((one) => (OF_OPEN.has(one) ? 'open' : one) === recorded)
}

const IN_LIST = 'IN (SELECT value FROM json_each(?))'

/** A session matches if it has one of the outcomes or one of the states. */
function statusConditions({ outcomes, endStates }: SessionQuery, joined: Joined): Condition[] {
  const either = [
    ...(outcomes === undefined ? [] : [outcomeCondition(outcomes, joined)]),
    ...(endStates === undefined ? [] : [endStateCondition(endStates)]),
  ]
  if (either.length < 2) return either
  return [{ sql: `(${either.map(({ sql }) => sql).join(' OR ')})`, values: valuesOf(either) }]
}

/** The outcome leads to the index that has the codes, too. */
function endStateCondition(states: NonNullable<SessionQuery['endStates']>): Condition {
  const outcomes = [...new Set(states.map(outcomeOf))]
  const values = [JSON.stringify(outcomes), JSON.stringify(states.flatMap(codesOf))]
  return { sql: `(outcome ${IN_LIST} AND end_code ${IN_LIST})`, values }
}

function outcomeCondition(outcomes: readonly Outcome[], { openOutcome }: Joined): Condition {
  const open = outcomes.filter((outcome) => OF_OPEN.has(outcome))
  const ended = outcomes.filter((outcome) => !OF_OPEN.has(outcome))
  const [only] = ended
  if (open.length === 0 && ended.length === 1 && only !== undefined)
    return { sql: 'outcome = ?', values: [only] }
  if (open.length === 0) {
    // Most sessions succeed. A scan in the order of the list finds them sooner than an index by outcome does.
    const column = ended.includes('succeeded') ? '+outcome' : 'outcome'
    return { sql: `${column} ${IN_LIST}`, values: [JSON.stringify(ended)] }
  }
  if (ended.length === 0)
    return { sql: `outcome = 'open' AND ${openOutcome} ${IN_LIST}`, values: [JSON.stringify(open)] }
  const sql = `(+outcome ${IN_LIST} OR (+outcome = 'open' AND ${openOutcome} ${IN_LIST}))`
  return { sql, values: [JSON.stringify(ended), JSON.stringify(open)] }
}

function* otherConditions(
  query: SessionQuery,
  sql: Readonly<Record<(typeof FILTERS)[number], string>>,
): Generator<Condition> {
  for (const filter of FILTERS) {
    const value = filter === 'schedule' ? scheduleFold(query.schedule) : query[filter]
    if (value !== undefined) yield { sql: sql[filter], values: [bound(value)] }
  }
}

function bound(value: string | Date | readonly string[]): string | number {
  if (value instanceof Date) return value.getTime()
  return typeof value === 'string' ? value : JSON.stringify(value)
}
