import {
  END_STATES,
  OUTCOMES,
  SESSION_KINDS,
  SESSION_ORDERS,
  type EndState,
  type Outcome,
} from '../../../contract/session-state.ts'
import { momentIn } from '../../../contract/words.ts'
import type { Folding, SessionQuery, SessionSort } from '../../history/session.ts'
import type { GatewayUser } from '../../identity.ts'
import type { Users } from '../../people/identities/users.ts'
import { refused, type RequestRefused } from '../../refusals/request-refused.ts'
import { firstOption, type Query } from '../mount.ts'
import { dayNumbers } from './by-day.ts'

/** Hides a user's groups from other callers, so that the list does not reveal who is in which group. */
export function groupsSeenBy(users: Users, user: GatewayUser): (name: string) => readonly string[] {
  return (name) => (name === user.name || users.seesAll(user) ? (users.named(name)?.groups ?? []) : [])
}

const DEFAULT_LIMIT = 20
/** As in hoop, a larger limit is lowered instead of refused. */
const MAX_LIMIT = 100
const MAX_OFFSET = 10_000

/**
 * Reads the options of the list. Unknown options are ignored.
 * @param groupsOf groups of a user, for the option that names a reviewer
 * @throws RequestRefused 422 with hoop's texts
 */
export function readListOptions(
  query: Query,
  groupsOf: (user: string) => readonly string[] = () => [],
): SessionQuery {
  const correlationId = firstOption(query, 'correlation_id')
  const approver = firstOption(query, 'review.approver')
  return {
    user: firstOption(query, 'user'),
    connection: firstOption(query, 'connection'),
    connectionType: firstOption(query, 'type'),
    runbook: filledOption(query, 'runbook'),
    outcomes: readOutcomes(query),
    endStates: readEndStates(query),
    kind: readWord(query, 'kind', SESSION_KINDS),
    schedule: filledOption(query, 'schedule'),
    words: readWords(query),
    sort: readSort(query),
    folding: readFolding(query),
    parameter: filledOption(query, 'parameter'),
    correlationId: correlationId === '' ? undefined : correlationId,
    sessionBatchId: firstOption(query, 'batch_id'),
    reviewStatus: firstOption(query, 'review.status'),
    reviewGroups: approver === undefined ? undefined : groupsOf(approver),
    issueKeys: readKeys(query),
    from: readDate(query, 'start_date'),
    to: readDate(query, 'end_date'),
    limit: readLimit(query),
    offset: readOffset(query),
    count: readCount(query),
  }
}

function filledOption(query: Query, option: string): string | undefined {
  const text = firstOption(query, option)
  return text === '' ? undefined : text
}

/** Maps hoop's words for a status to this gateway's outcomes. */
const HOOPS: ReadonlyMap<string, readonly Outcome[]> = new Map([
  ['open', ['waiting', 'running']],
  ['ready', ['approved']],
  ['done', ['succeeded', 'failed', 'stopped', 'rejected']],
])

const END: ReadonlySet<string> = new Set(END_STATES)

function readOutcomes(query: Query): readonly Outcome[] | undefined {
  const words = filledOption(query, 'status')
    ?.split(',')
    .filter((word) => !END.has(word))
  if (words === undefined || words.length === 0) return undefined
  return words.flatMap((word) => {
    const found = HOOPS.get(word) ?? OUTCOMES.filter((outcome) => outcome === word)
    if (found.length > 0) return found
    throw invalidWord('status', word, [...OUTCOMES, ...END_STATES, ...HOOPS.keys()])
  })
}

function readEndStates(query: Query): readonly EndState[] | undefined {
  const words = filledOption(query, 'status')?.split(',') ?? []
  const states = END_STATES.filter((state) => words.includes(state))
  return states.length === 0 ? undefined : states
}

/** More words would make a search slow, and find hardly less. */
const MAX_WORDS = 8

function readWords(query: Query): readonly string[] | undefined {
  const words = (firstOption(query, 'text') ?? '').split(/\s+/).filter((word) => word !== '')
  if (words.length > MAX_WORDS) throw invalid('text', `must not have more than ${MAX_WORDS} words`)
  return words.length === 0 ? undefined : words
}

function readSort(query: Query): SessionSort | undefined {
  const order = readWord(query, 'order', ['asc', 'desc'])
  const by = readWord(query, 'sort', SESSION_ORDERS) ?? (order === undefined ? undefined : 'started')
  if (by === undefined) return undefined
  const isUsuallyDescending = by === 'started' || by === 'took'
  return { by, isDescending: order === undefined ? isUsuallyDescending : order === 'desc' }
}

const FOLDS = ['batches', 'schedules'] as const

function readFolding(query: Query): Folding | undefined {
  const words = filledOption(query, 'group')?.split(',')
  if (words === undefined) return undefined
  const wrong = words.find((word) => !FOLDS.some((fold) => fold === word))
  if (wrong !== undefined) throw invalidWord('group', wrong, FOLDS)
  return {
    batches: words.includes('batches'),
    dayOf: words.includes('schedules') ? dayNumbers(firstOption(query, 'time_zone')) : undefined,
  }
}

/** @throws RequestRefused 422 for another word */
export function readWord<const Word extends string>(
  query: Query,
  option: string,
  accepted: readonly Word[],
): Word | undefined {
  const text = filledOption(query, option)
  const word = accepted.find((one) => one === text)
  if (word !== undefined || text === undefined) return word
  throw invalidWord(option, text, accepted)
}

function invalidWord(option: string, text: string, accepted: readonly string[]): RequestRefused {
  return invalid(option, `invalid ${option} ${JSON.stringify(text)}, expected one of [${accepted.join(' ')}]`)
}

function readKeys(query: Query): readonly string[] | undefined {
  const keys = firstOption(query, 'jira_issue_key')
    ?.split(',')
    .map((key) => key.trim())
    .filter((key) => key !== '')
  return keys === undefined || keys.length === 0 ? undefined : keys
}

function readLimit(query: Query): number {
  const limit = readNumber(query, 'limit') ?? DEFAULT_LIMIT
  if (limit < 1) throw invalid('limit', `must be at least 1, got ${limit}`)
  return Math.min(limit, MAX_LIMIT)
}

function readOffset(query: Query): number {
  const offset = readNumber(query, 'offset') ?? 0
  if (offset < 0) throw invalid('offset', `must not be negative, got ${offset}`)
  if (offset > MAX_OFFSET) {
    const advice = 'narrow the result set with a filter instead of paginating deeper'
    throw invalid('offset', `must not be greater than ${MAX_OFFSET}, got ${offset}; ${advice}`)
  }
  return offset
}

const COUNTS = ['exact', 'none', 'capped'] as const

function readCount(query: Query): SessionQuery['count'] {
  const text = filledOption(query, 'count')
  const count = COUNTS.find((each) => each === text)
  if (count !== undefined || text === undefined) return count
  throw invalid('count', `invalid count value ${JSON.stringify(text)}, expected one of [${COUNTS.join(' ')}]`)
}

export function readNumber(query: Query, option: string): number | undefined {
  const text = firstOption(query, option)
  if (text === undefined) return undefined
  if (!/^[+-]?\d{1,15}$/.test(text)) throw invalid(option, `${JSON.stringify(text)} is not a number`)
  // -0 becomes 0, as in Go.
  return Number(text) + 0
}

function readDate(query: Query, option: string): Date | undefined {
  const text = firstOption(query, option)
  if (text === undefined) return undefined
  const date = momentIn(text)
  if (date !== undefined) return date
  throw invalid(option, 'start_date or end_date in wrong format')
}

export function invalid(option: string, reason: string): RequestRefused {
  return refused('invalid-request/list-option', { option, reason })
}
