import { refused, type RequestRefused } from '../refusals/request-refused.ts'
import type { UserKind } from '../identity.ts'
import {
  isIncomplete,
  type GroupReview,
  type ListedReview,
  type Review,
  type ReviewVerdict,
  type TimeWindow,
} from './review.ts'
import { common, type ReviewNeed } from './rules.ts'

// Nothing here reads a clock or writes to the history.

export interface Reviewer {
  readonly name: string
  /** Text of `Users.identity`. */
  readonly identity: string | undefined
  readonly kind: UserKind
  readonly groups: readonly string[]
  readonly isAdmin: boolean
  /** True for auditors, who decide nothing. */
  readonly onlyReads: boolean
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
  /** Time of the history's clock, by which reviews expire. */
  readonly latest: number
  /** Makes the id of a group entry. */
  readonly newId: () => string
}

/** The error is made only if it is thrown, because lists of reviews ask what each user may decide. */
type Refusal = () => RequestRefused

/**
 * Accepts exactly the decisions that `possibleDecisions` offers.
 * @param review a review as `standing` returns it
 */
export function decide(
  review: Review,
  decision: Decision,
  reviewer: Reviewer,
  moment: DecisionMoment,
): { readonly review: Review } | { readonly refusal: RequestRefused } {
  const refusal = refusalOf(review, decision, reviewer, moment.latest)
  if (refusal !== undefined) return { refusal: refusal() }
  const groups = entriesAfter(review, decision, reviewer, moment)
  const isDecided = decision.verdict !== 'APPROVED' || decision.force || isEnough(review, groups)
  const status = isDecided ? decision.verdict : review.status
  const { verdict, timeWindow, reason = '' } = decision
  return {
    review: {
      ...review,
      groups,
      status,
      ...(status === 'APPROVED' && { revokeAt: moment.now + review.accessMs, approvedAt: moment.now }),
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

/** @param latest time of the history's clock */
export function possibleDecisions(
  review: ListedReview,
  reviewer: Reviewer,
  latest: number,
): PossibleDecisions {
  const accepts = (verdict: ReviewVerdict, force = false) =>
    refusalOf(review, { verdict, force }, reviewer, latest) === undefined
  return {
    approve: accepts('APPROVED'),
    force: accepts('APPROVED', true),
    reject: accepts('REJECTED'),
    revoke: accepts('REVOKED'),
  }
}

/** The order of the checks is the same as in hoop's gateway. Only an undecided review can be decided. */
function refusalOf(
  review: ListedReview,
  decision: Decision,
  reviewer: Reviewer,
  latest: number,
): Refusal | undefined {
  const { verdict } = decision
  const refusal = refusedReviewer(review, decision, reviewer, latest) ?? refusedWindow(review, decision)
  if (refusal !== undefined) return refusal
  if (review.status !== (verdict === 'REVOKED' ? 'APPROVED' : 'PENDING')) return WRONG_STATE
  if (verdict === 'APPROVED' && reviewer.name === review.owner && !review.selfApproval)
    return () => refused('not-eligible/own')
  if (verdict === 'APPROVED' && isIncomplete(review)) return () => refused('review-wrong-state/incomplete')
  if (decision.force) return common(reviewer.groups, review.forceGroups).length > 0 ? undefined : NOT_ELIGIBLE
  if (verdict !== 'APPROVED') return isConcerned(review, reviewer) ? undefined : NOT_ELIGIBLE
  return refusedApproval(review, reviewer)
}

function refusedReviewer(
  { expiresAt }: ListedReview,
  { verdict }: Decision,
  { name, kind, onlyReads }: Reviewer,
  latest: number,
): Refusal | undefined {
  if (onlyReads) return () => refused('not-permitted/auditor', { name })
  if (verdict !== 'APPROVED') return undefined
  if (kind === 'machine') return () => refused('not-permitted/machine-approves', { name })
  // An expired review can still be found until `Reviews.tick` ends it some seconds later.
  return expiresAt < latest ? () => refused('review-wrong-state/undecided') : undefined
}

function refusedWindow(
  { type, timeWindow: known }: ListedReview,
  { timeWindow }: Decision,
): Refusal | undefined {
  if (timeWindow === undefined) return undefined
  if (known !== undefined) return () => refused('invalid-request/second-window')
  // A terminal has no time window. It opens when it is approved and ends after its access time, so the window
  // would not be enforced.
  return type === 'jit' ? () => refused('invalid-request/window-of-terminal') : undefined
}

/** Each group approves once. A second approval would replace the name of the first approver. */
function refusedApproval({ groups }: ListedReview, reviewer: Reviewer): Refusal | undefined {
  const mine = groups.filter(({ group }) => reviewer.groups.includes(group))
  if (mine.length === 0) return NOT_ELIGIBLE
  return mine.some(({ status }) => status === 'PENDING') ? undefined : WRONG_STATE
}

/** Owners, admins and members of force groups may revoke and reject without being in the review's groups. */
function isConcerned({ owner, groups: asked, forceGroups }: ListedReview, reviewer: Reviewer): boolean {
  const { name, groups, isAdmin } = reviewer
  const concerned = [...asked.map(({ group }) => group), ...forceGroups]
  return isAdmin || name === owner || common(groups, concerned).length > 0
}

function entriesAfter(
  review: ListedReview,
  { verdict, force, comment = '' }: Decision,
  reviewer: Reviewer,
  { now, newId }: DecisionMoment,
): readonly GroupReview[] {
  const isSaid = verdict === 'APPROVED' && comment !== ''
  const { name: reviewedBy, identity: reviewedAs } = reviewer
  const said = {
    status: verdict,
    reviewedBy,
    ...(reviewedAs !== undefined && { reviewedAs }),
    reviewedAt: now,
    forced: force,
    ...(isSaid && { comment }),
  }
  const groups = review.groups.map(({ group }) => group)
  const mine = force
    ? common(reviewer.groups, review.forceGroups).slice(0, 1)
    : common(groups, reviewer.groups)
  // An approval stays with the person who gave it.
  const isKept = ({ status }: GroupReview) => status === 'APPROVED' && verdict === 'APPROVED' && !force
  const known = review.groups.map((entry) =>
    mine.includes(entry.group) && !isKept(entry) ? { ...entry, ...said } : entry,
  )
  const added = (mine.length > 0 ? mine : [reviewerGroup(review, reviewer)]).filter(
    (group) => !groups.includes(group),
  )
  return [...known, ...added.map((group) => ({ id: newId(), group, ...said, isAdded: true as const }))]
}

/** Names the entry of a user who rejects or revokes and is in none of the groups. */
function reviewerGroup({ forceGroups }: ListedReview, { groups, isAdmin }: Reviewer): string {
  return common(groups, forceGroups)[0] ?? (isAdmin ? 'admin' : (groups[0] ?? 'owner'))
}

/** What an approval of this reviewer would do. */
export interface ApprovalEffect {
  /** Groups for which the approval counts. */
  readonly groups: readonly string[]
  /** Approvals that are needed after it. */
  readonly missing: readonly ReviewNeed[]
}

/** Returns undefined if the approval would be refused. @param latest time of the history's clock */
export function effectOfApproval(
  review: ListedReview,
  reviewer: Reviewer,
  latest: number,
): ApprovalEffect | undefined {
  const decision = { verdict: 'APPROVED', force: false } as const
  if (refusalOf(review, decision, reviewer, latest) !== undefined) return undefined
  const after = entriesAfter(review, decision, reviewer, { now: latest, latest, newId: () => '' })
  const waiting = review.groups.filter(({ status }) => status === 'PENDING').map(({ group }) => group)
  return { groups: common(waiting, reviewer.groups), missing: missingApprovals(review, after) }
}

/** The sets of groups whose approvals the review needs. */
export function needsOf({ minimum, needs, groups }: ListedReview): readonly ReviewNeed[] {
  const asked = groups.filter(({ isAdded }) => isAdded !== true).map(({ group }) => group)
  const each = needs ?? [{ groups: asked, minimum }]
  return each.map((need) => ({ ...need, minimum: Math.min(need.minimum, need.groups.length) }))
}

/** Returns the needs that these entries leave open, without the groups that have approved. */
export function missingApprovals(review: ListedReview, groups = review.groups): readonly ReviewNeed[] {
  const approved = groups.filter(({ status }) => status === 'APPROVED').map(({ group }) => group)
  return needsOf(review)
    .map((need) => ({
      groups: need.groups.filter((group) => !approved.includes(group)),
      minimum: need.minimum - common(approved, need.groups).length,
    }))
    .filter(({ minimum }) => minimum > 0)
}

/**
 * Tells whether enough groups have approved. hoop's gateway requires the exact number of approvals. There,
 * one reviewer in two groups blocks a review for ever.
 */
function isEnough(review: ListedReview, groups: readonly GroupReview[]): boolean {
  return missingApprovals(review, groups).length === 0
}

/** Tells whether the user who has approved may still approve. */
export type Counts = (entry: GroupReview) => boolean

/** Tells whether the approvals that still count are enough. */
export function isApproved(review: ListedReview, counts: Counts): boolean {
  if (review.status !== 'APPROVED') return false
  const groups = countedGroups(review, counts)
  const isForced = groups.some(({ forced, status }) => forced && status === 'APPROVED')
  // The rule has decided. Only a void approval makes it decide again.
  return groups === review.groups || isForced || isEnough(review, groups)
}

/**
 * Returns the review without approvals that no longer count, so that other members of these groups can
 * approve. An approved request that then lacks approvals is undecided again.
 */
export function standing(review: Review, counts: Counts): Review
export function standing(review: ListedReview, counts: Counts): ListedReview
export function standing(review: ListedReview, counts: Counts): ListedReview {
  const isOpen = review.status === 'PENDING' || (review.status === 'APPROVED' && review.type === 'onetime')
  const groups = isOpen ? countedGroups(review, counts) : review.groups
  if (groups === review.groups) return review
  if (review.status === 'PENDING' || isApproved(review, counts)) return { ...review, groups }
  const { revokeAt: _, approvedAt: _approvedAt, held: _held, ...rest } = review
  return { ...rest, groups, status: 'PENDING' }
}

/** Returns the same list if every approval counts. */
function countedGroups({ groups }: ListedReview, counts: Counts): readonly GroupReview[] {
  const isVoid = (entry: GroupReview) => entry.status === 'APPROVED' && !counts(entry)
  if (!groups.some(isVoid)) return groups
  return groups
    .filter((entry) => !(entry.isAdded === true && isVoid(entry)))
    .map((entry) => {
      const { id, group } = entry
      return isVoid(entry) ? { id, group, status: 'PENDING', forced: false } : entry
    })
}

/** Ends a review that was not decided or run in time, or whose session has ended meanwhile. */
export function withdrawn(review: Review, reason: string): Review {
  return {
    ...review,
    status: review.status === 'PENDING' ? 'REJECTED' : 'REVOKED',
    rejectionReason: review.rejectionReason ?? reason,
  }
}

const WRONG_STATE = () => refused('review-wrong-state/decided')
const NOT_ELIGIBLE = () => refused('not-eligible/other')
