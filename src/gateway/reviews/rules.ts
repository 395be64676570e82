import type { SessionRequest } from '../sessions/session-request.ts'
import { useOf } from '../sessions/session-request.ts'
import type { ReviewSettings } from '../settings/reviews.ts'
import { common } from './decision.ts'
import type { ReviewNeed } from './review.ts'

export interface ReviewRule {
  readonly review: ReviewSettings
  /** The path of the runbooks' rule; undefined for the connection's own. */
  readonly path?: string
  /** What a batch needs whose connections have rules of their own. */
  readonly needs?: readonly ReviewNeed[]
}

/**
 * By which rule somebody has to approve; undefined when nobody has to. What is not allowed at all is not reviewed: it is
 * refused as it always was.
 * @param groups of the user who asks
 * @param file of a runbook
 */
export function reviewRule(
  request: SessionRequest,
  groups: readonly string[],
  file?: string,
): ReviewRule | undefined {
  const { connection } = request
  if (!connection.access[useOf(request)]) return undefined
  const found = (connection.runbooks?.reviews ?? []).find(
    ({ path }) => file !== undefined && path.isFor(file),
  )
  const review = found === undefined ? connection.review : found.review
  if (review === undefined || common(groups, review.skipGroups).length > 0) return undefined
  return { review, ...(found !== undefined && { path: found.path.text }) }
}
