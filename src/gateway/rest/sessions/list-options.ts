import type { SessionQuery } from '../../history/session.ts'
import { hoopWords } from '../../../wire/gateway-words.ts'
import { HttpError } from '../http/http-error.ts'
import { momentIn } from '../../../contract/query.ts'
import { firstOption, type Query } from '../http/query.ts'

const DEFAULT_LIMIT = 20
/** A larger limit is lowered to this, not refused, as in hoop. */
const MAX_LIMIT = 100
const MAX_OFFSET = 10_000

/**
 * The options of `GET /api/sessions`; unknown ones are ignored.
 * @param groupsOf a user, for the option that names a reviewer
 * @throws HttpError 422 with hoop's texts
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

/** A list with commas. */
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

/** Behind which an export goes on. @throws HttpError 422 */
export function readPlace(query: Query): number {
  const place = readNumber(query, 'after') ?? 0
  if (place < 0) throw invalid('after', `must not be negative, got ${place}`)
  return place
}

const COUNTS = ['exact', 'none', 'capped'] as const

function readCount(query: Query): SessionQuery['count'] {
  const text = firstOption(query, 'count') ?? ''
  if (text === '') return undefined
  const count = COUNTS.find((each) => each === text)
  if (count !== undefined) return count
  const accepted = `expected one of [${COUNTS.join(' ')}]`
  throw invalid('count', `invalid count value ${JSON.stringify(text)}, ${accepted}`)
}

function readNumber(query: Query, option: string): number | undefined {
  const text = firstOption(query, option)
  if (text === undefined) return undefined
  if (!/^[+-]?\d{1,15}$/.test(text)) throw invalid(option, `${JSON.stringify(text)} is not a number`)
  // Turns -0 into 0, as in Go.
  return Number(text) + 0
}

function readDate(query: Query, option: string): Date | undefined {
  const text = firstOption(query, option)
  if (text === undefined) return undefined
  const date = momentIn(text)
  if (date !== undefined) return date
  throw invalid(option, 'start_date or end_date in wrong format')
}

function invalid(option: string, reason: string): HttpError {
  return new HttpError('invalid-request', hoopWords.invalidListOption(option, reason), 422)
}
