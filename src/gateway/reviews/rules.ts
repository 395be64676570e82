import type { SessionRequest } from '../sessions/session-request.ts'
import { useOf } from '../sessions/session-request.ts'
import type { ReviewSettings } from '../settings/reviews.ts'
import type { PathPattern } from '../settings/words.ts'
import type { ConnectionSettings } from '../settings/settings.ts'
import { common } from './decision.ts'
import type { ReviewNeed } from './review.ts'

export interface ReviewRule {
  readonly review: ReviewSettings
  /** The path of the runbooks' rule; undefined for the connection's own. */
  readonly path?: string
  /** What a batch needs whose connections have rules of their own. */
  readonly needs?: readonly ReviewNeed[]
}

/** One of the rules by which something is approved on a connection. */
export interface PathRule {
  /** The runbooks that it is for; undefined for everything else. */
  readonly path: PathPattern | undefined
  /** Undefined: nobody has to approve. */
  readonly rule: ReviewRule | undefined
}

type Asked = Pick<SessionRequest, 'connection' | 'origin' | 'verb'>

/**
 * By which rule somebody has to approve; undefined when nobody has to. What is not allowed at all is not reviewed: it is
 * refused as it always was.
 * @param groups of the user who asks
 * @param file of a runbook
 */
export function reviewRule(request: Asked, groups: readonly string[], file?: string): ReviewRule | undefined {
  const { connection } = request
  if (!connection.access[useOf(request)]) return undefined
  const isFor = ({ path }: PathRule) => path === undefined || (file !== undefined && path.isFor(file))
  return reviewRules(connection, groups).find(isFor)?.rule
}

/** All rules of a connection for a user, in the order in which the first one that fits decides. */
export function reviewRules(
  { review, runbooks }: ConnectionSettings,
  groups: readonly string[],
): readonly PathRule[] {
  const needed = (one: ReviewSettings | undefined, path?: PathPattern): PathRule => {
    const isNeeded = one !== undefined && common(groups, one.skipGroups).length === 0
    return { path, rule: isNeeded ? { review: one, ...(path && { path: path.text }) } : undefined }
  }
  return [...(runbooks?.reviews ?? []).map((of) => needed(of.review, of.path)), needed(review)]
}
