import type { SessionRequest } from '../sessions/session-request.ts'
import { useOf } from '../sessions/session-request.ts'
import type { ReviewSettings } from '../settings/reviews.ts'
import type { PathPattern } from '../settings/words.ts'
import type { ConnectionSettings } from '../settings/settings.ts'

export interface ReviewNeed {
  readonly groups: readonly string[]
  readonly minimum: number
}

export interface ReviewRule {
  readonly review: ReviewSettings
  /** The path of the runbooks' rule; undefined for the connection's own rule. */
  readonly path?: string
  /** Approvals that a batch needs if its connections have rules of their own. */
  readonly needs?: readonly ReviewNeed[]
}

export interface PathRule {
  /** Undefined for the connection's own rule. */
  readonly path: PathPattern | undefined
  /** Undefined if no approval is needed. */
  readonly rule: ReviewRule | undefined
}

type Asked = Pick<SessionRequest, 'connection' | 'origin' | 'verb'>

/**
 * Returns undefined when the request needs no approval, or is refused in any case.
 * @param groups groups of the requester
 * @param file file of a runbook
 */
export function reviewRule(request: Asked, groups: readonly string[], file?: string): ReviewRule | undefined {
  const { connection } = request
  if (!connection.access[useOf(request)]) return undefined
  return ruleFor(reviewRules(connection, groups), file)
}

/** Returns the rule that decides about this file of a runbook, or about another request without one. */
export function ruleFor(rules: readonly PathRule[], file: string | undefined): ReviewRule | undefined {
  return rules.find(({ path }) => path === undefined || (file !== undefined && path.isFor(file)))?.rule
}

/** Returns the rules in the order in which they are tried. The first rule that fits decides. */
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

export function common(some: readonly string[], others: readonly string[]): string[] {
  return some.filter((one) => others.includes(one))
}
