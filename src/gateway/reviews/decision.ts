import { hoopWords } from '../../wire/gateway-words.ts'
import type { HttpCode } from '../../contract/statuses.ts'
import type { GroupReview, Review, TimeWindow, ReviewVerdict } from './review.ts'
import { common } from './rules.ts'

// Nothing here reads a clock or writes to the history.

export interface Reviewer {
  readonly name: string
  readonly groups: readonly string[]
  readonly isAdmin: boolean
}

export interface Decision {
  readonly verdict: ReviewVerdict
  readonly force: boolean
  readonly timeWindow?: TimeWindow
  readonly reason?: string
  /** Comment that is given with an approval. */
  readonly comment?: string
}

interface DecisionMoment {
  readonly now: number
  /** Makes the id of a group entry. */
  readonly newId: () => string
}

interface Refusal {
  readonly code: HttpCode
  readonly message: string
}

/** The order of the checks is the same as in hoop's gateway. */
export function decide(
  review: Review,
  decision: Decision,
  reviewer: Reviewer,
  moment: DecisionMoment,
): { readonly review: Review } | { readonly refusal: Refusal } {
  const refusal = refusalOf(review, decision, reviewer)
  if (refusal !== undefined) return { refusal }
  const groups = entriesAfter(review, decision, reviewer, moment)
  const isDecided = decision.verdict !== 'APPROVED' || decision.force || isEnough(review, groups)
  const status = isDecided ? decision.verdict : review.status
  const { verdict, timeWindow, reason = '' } = decision
  return {
    review: {
      ...review,
      groups,
      status,
      // An approval by an admin who is in none of the groups changes nothing, and does not extend the access.
      ...(status === 'APPROVED' && groups !== review.groups && { revokeAt: moment.now + review.accessMs }),
      ...(status === 'APPROVED' && review.approvedAt === undefined && { approvedAt: moment.now }),
      ...(verdict === 'APPROVED' && timeWindow !== undefined && { timeWindow }),
      ...(status === 'REJECTED' && reason !== '' && { rejectionReason: reason }),
    },
  }
}

export interface PossibleDecisions {
  readonly approve: boolean
  readonly force: boolean
  readonly reject: boolean
  readonly revoke: boolean
}

/** Returns the decisions that would be accepted and change something. */
export function possibleDecisions(review: Review, reviewer: Reviewer): PossibleDecisions {
  const { status, groups } = review
  const accepts = (verdict: ReviewVerdict, force = false) =>
    refusalOf(review, { verdict, force }, reviewer) === undefined
  const isAsked = groups.some((entry) => entry.status === 'PENDING' && reviewer.groups.includes(entry.group))
  const isPending = status === 'PENDING'
  return {
    approve: isPending && isAsked && accepts('APPROVED'),
    force: isPending && accepts('APPROVED', true),
    reject: isPending && accepts('REJECTED'),
    revoke: accepts('REVOKED'),
  }
}

function refusalOf(review: Review, decision: Decision, reviewer: Reviewer): Refusal | undefined {
  const { status, owner } = review
  const { verdict, force, timeWindow } = decision
  if (timeWindow !== undefined && review.timeWindow !== undefined)
    return {
      code: 'invalid-request',
      message: hoopWords.reviewNotUpdated('time window can only be set once'),
    }
  // A terminal has no time window. It opens when it is approved and ends after its access time, so the window
  // would not be enforced.
  if (timeWindow !== undefined && review.type === 'jit')
    return {
      code: 'invalid-request',
      message: hoopWords.reviewNotUpdated('time window is for scripts, not for terminals'),
    }
  if (status !== 'PENDING' && status !== 'APPROVED') return wrongState()
  if (verdict === 'APPROVED' && reviewer.name === owner && !review.selfApproval)
    return { code: 'not-eligible', message: hoopWords.selfApproval }
  if (verdict === 'REVOKED' && status !== 'APPROVED') return wrongState()
  if (force) return common(reviewer.groups, review.forceGroups).length > 0 ? undefined : notEligible()
  return isConcerned(review, reviewer) ? undefined : notEligible()
}

/** Owners and admins may revoke and reject without being in the review's groups. */
function isConcerned(review: Review, { name, groups, isAdmin }: Reviewer): boolean {
  const reviewers = review.groups.map(({ group }) => group)
  return isAdmin || name === review.owner || common(groups, reviewers).length > 0
}

function entriesAfter(
  review: Review,
  { verdict, force, comment = '' }: Decision,
  reviewer: Reviewer,
  { now, newId }: DecisionMoment,
): readonly GroupReview[] {
  const isSaid = verdict === 'APPROVED' && comment !== ''
  const said = { status: verdict, reviewedBy: reviewer.name, reviewedAt: now, ...(isSaid && { comment }) }
  const mine = force
    ? common(reviewer.groups, review.forceGroups).slice(0, 1)
    : common(
        review.groups.map(({ group }) => group),
        reviewer.groups,
      )
  if (mine.length === 0 && verdict === 'APPROVED') return review.groups
  // A forced approval keeps its reviewer, because an approved review must not lose approvals that it needs.
  const isKept = ({ forced }: GroupReview) => forced && !force && verdict === 'APPROVED'
  const known = review.groups.map((entry) =>
    mine.includes(entry.group) && !isKept(entry) ? { ...entry, ...said, forced: force } : entry,
  )
  const added = mine.length > 0 ? mine : [nameOf(reviewer)]
  const isThere = (group: string) => known.some((entry) => entry.group === group)
  return [
    ...known,
    ...added
      .filter((group) => !isThere(group))
      .map((group) => ({ id: newId(), group, ...said, forced: force })),
  ]
}

/** Names the entry of a user who rejects or revokes and is in none of the groups. */
function nameOf({ groups, isAdmin }: Reviewer): string {
  return isAdmin ? 'admin' : (groups[0] ?? 'owner')
}

/**
 * Tells whether enough groups have approved. hoop's gateway requires the exact number of approvals. There,
 * one reviewer in two groups blocks a review for ever.
 */
function isEnough({ minimum, needs }: Review, groups: readonly GroupReview[]): boolean {
  const approved = groups.filter(({ status }) => status === 'APPROVED').map(({ group }) => group)
  const each = needs ?? [{ groups: groups.map(({ group }) => group), minimum }]
  return each.every(
    (need) => common(approved, need.groups).length >= Math.min(need.minimum, need.groups.length),
  )
}

/** Ends a review that was not decided or run in time, or whose session has ended meanwhile. */
export function withdrawn(review: Review, reason: string): Review {
  return {
    ...review,
    status: review.status === 'PENDING' ? 'REJECTED' : 'REVOKED',
    rejectionReason: review.rejectionReason ?? reason,
  }
}

function wrongState(): Refusal {
  return { code: 'review-wrong-state', message: hoopWords.reviewInWrongState }
}

function notEligible(): Refusal {
  return { code: 'not-eligible', message: hoopWords.notEligible }
}
