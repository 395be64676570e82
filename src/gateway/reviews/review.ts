import type { McpOrigin } from '../sessions/mcp-labels.ts'
import type { ShownMark } from '../sessions/shown-places.ts'
import { randomUUID } from 'node:crypto'
import type { ReviewAnswer, ReviewInSession } from '../../contract/reviews.ts'
import type { HttpCode } from '../../contract/statuses.ts'
import type { SessionRequest } from '../sessions/session-request.ts'
import { timeOf } from '../identity.ts'
import type { ReviewNeed, ReviewRule } from './rules.ts'

/**
 * A `PENDING` review waits for people, and an `APPROVED` one waits for its run. After the run, `PROCESSING`
 * becomes `EXECUTED`. The other states are final.
 */
export type ReviewStatus = 'PENDING' | 'APPROVED' | 'REJECTED' | 'REVOKED' | 'PROCESSING' | 'EXECUTED'

export type ReviewVerdict = 'APPROVED' | 'REJECTED' | 'REVOKED'

export interface GroupReview {
  readonly id: string
  readonly group: string
  readonly status: 'PENDING' | ReviewVerdict
  readonly reviewedBy?: string
  /** Text of `Users.identity`. Reviews of older versions lack it. */
  readonly reviewedAs?: string
  /** In ms since 1970, like all times of a review. */
  readonly reviewedAt?: number
  readonly forced: boolean
  readonly comment?: string
  /** Set if the review does not ask this group: its member has forced, rejected or revoked. */
  readonly isAdded?: true
}

/** Times are `HH:MM` in UTC. If the end is not after the start, the window includes midnight. */
export interface TimeWindow {
  readonly start: string
  readonly end: string
}

/** Contains no secrets. */
export interface ListedReview {
  readonly id: string
  readonly sessionId: string
  readonly connection: string
  /** The requester. */
  readonly owner: string
  /** Text of `Users.identity` for the requester. Reviews of older versions lack it. */
  readonly ownerIdentity?: string
  /** `onetime`: a script, which runs once. `jit`: access to terminals for some time. */
  readonly type: 'onetime' | 'jit'
  /** Undefined for a script. */
  readonly runbook?: ReviewedRunbook
  readonly status: ReviewStatus
  /** 0 for a script. */
  readonly accessMs: number
  /** Time of the last approval plus `accessMs`. */
  readonly revokeAt?: number
  /** Time at which enough people had approved. Reviews of older versions lack it. */
  readonly approvedAt?: number
  /** Time at which the run was asked for, after the approval. Its command begins after waits for lock and agent. */
  readonly claimedAt?: number
  readonly createdAt: number
  /** Time at which the review ends, if it was not decided or not run before. */
  readonly expiresAt: number
  readonly groups: readonly GroupReview[]
  /** Number of groups that have to approve. */
  readonly minimum: number
  /** Approvals that a batch needs from each set of groups. Undefined: `minimum` approvals of all groups. */
  readonly needs?: readonly ReviewNeed[]
  readonly forceGroups: readonly string[]
  readonly selfApproval: boolean
  /** The path of the runbooks' rule; undefined for the connection's own rule. */
  readonly rule?: string
  readonly timeWindow?: TimeWindow
  readonly rejectionReason?: string
  readonly withdrawnBy?: string
  readonly shown: ShownRequest
  /** Set if the owner has asked the gateway to run the request after the approval. */
  readonly whenApproved?: true
  /** Why the gateway has not run the request yet. */
  readonly held?: HeldRun
  /** Undefined if the review is for its session alone. */
  readonly batch?: ReviewedBatch
  /** Set in lists if arguments, variables, comments, names of connections and long texts are missing. */
  readonly isShort?: true
}

/** A whole review. Only a whole one can be written. */
export interface Review extends ListedReview {
  readonly isShort?: never
  /**
   * Set if a repair of the history has lost the whole record, or the whole request of the session, and only the
   * short one is left.
   */
  readonly isIncomplete?: true
}

/** A runbook with its title at the time of the request. */
interface ReviewedRunbook {
  readonly file: string
  readonly title?: string
}

export interface HeldRun {
  readonly code: HttpCode
  readonly message: string
}

/** Reviewers see these facts of a batch. */
export interface ReviewedBatch {
  readonly id: string
  /** Names of connections, wave by wave. */
  readonly waves: readonly (readonly string[])[]
  /** Number of connections. Set only if the review is short. */
  readonly connections?: number
  /** Parallel runs. */
  readonly parallel: number
  /** Number of failures after which the batch stops. */
  readonly threshold: number
}

/** Reviewers see these facts besides those of the session. */
export interface ShownRequest {
  /** Hash of the script, in hex. It is keyed if a plain hash would allow guessing a secret. */
  readonly scriptDigest: { readonly kind: 'sha256' | 'hmac-sha256'; readonly hex: string }
  /** Arguments, with secrets replaced. */
  readonly clientArgs: readonly string[]
  /** Set if a machine asks by a tool of /mcp. */
  readonly machine?: McpOrigin
  /** Why the requester asks, with secrets replaced. Missing if there is no reason. */
  readonly reason?: string
  /** Names of the variables, without values. */
  readonly envVars: readonly string[]
  /** Missing in older versions and for terminals, like the next two. */
  readonly summary?: RequestSummary
  /** Places of values in the recorded script of a runbook. */
  readonly marks?: readonly ShownMark[]
  /** Hash of the runbook's text. */
  readonly runbookSha256?: string
  /** Missing in older versions. */
  readonly facts?: RequestFacts
  /** Whether the requester added arguments or variables to those of the runbook. Missing if this is unknown. */
  readonly bringsInput?: boolean
}

/** The beginning of a request, which is short enough for lists. A runbook has values, a script has lines. */
export interface RequestSummary {
  readonly values?: readonly { readonly name: string; readonly value: string }[]
  /** Number of other values. */
  readonly more?: number
  readonly firstLine?: string
  readonly lines?: number
}

/** What the history told at the time of the request. A fact is missing if it is unknown. */
export interface RequestFacts {
  /** Whether the requester had never run this before. */
  readonly isFirst?: boolean
  /** Number of connections on which the runbook had never run. */
  readonly newConnections?: number
}

interface Asked {
  readonly request: SessionRequest
  readonly rule: ReviewRule
  readonly asker: string | undefined
  readonly accessMs: number
  readonly sid: string
  readonly shown: ShownRequest
  readonly batch: ReviewedBatch | undefined
}

export function newReview({ request, rule, asker, accessMs, sid, shown, batch }: Asked): Review {
  const { review, path, needs } = rule
  const { runbookFile: file, runbookTitle: title } = request.labels
  const now = Date.now()
  const entry = (group: string) => ({ id: randomUUID(), group, status: 'PENDING', forced: false }) as const
  return {
    id: randomUUID(),
    sessionId: sid,
    connection: request.connection.name,
    owner: request.user,
    ...(asker !== undefined && { ownerIdentity: asker }),
    type: request.verb === 'connect' ? 'jit' : 'onetime',
    ...(file !== undefined && { runbook: { file, ...(title !== undefined && { title }) } }),
    status: 'PENDING',
    accessMs,
    createdAt: now,
    expiresAt: now + review.expiresMs,
    groups: review.groups.map(entry),
    minimum: review.minimum,
    forceGroups: review.forceGroups,
    selfApproval: review.selfApproval,
    ...(path !== undefined && { rule: path }),
    ...(needs !== undefined && { needs }),
    shown,
    ...(request.whenApproved === true && request.verb === 'exec' && { whenApproved: true as const }),
    ...(batch !== undefined && { batch }),
  }
}

/** Returns undefined for a request that was not approved, or whose time of the approval is unknown. */
export function approvedAtOf({ status, approvedAt, groups }: ListedReview): number | undefined {
  if (approvedAt !== undefined) return approvedAt
  if (status !== 'APPROVED' && status !== 'PROCESSING' && status !== 'EXECUTED') return undefined
  const times = groups.flatMap((group) => (group.status === 'APPROVED' ? [group.reviewedAt ?? 0] : []))
  return times.length === 0 ? undefined : Math.max(...times)
}

/** Tells whether parts of the review are lost, so that nobody can see them before an approval. */
export function isIncomplete(review: ListedReview | Review): boolean {
  return 'isIncomplete' in review
}

/** hoop's contract for reviews in sessions, followed by fields of our own. */
export function reviewInSession(review: ListedReview | Review): ReviewInSession {
  const { scriptDigest, clientArgs, envVars, reason, machine } = review.shown
  return {
    id: review.id,
    type: review.type,
    access_duration: review.accessMs * 1e6,
    status: review.status,
    revoke_at: timeOf(review.revokeAt),
    created_at: new Date(review.createdAt).toISOString(),
    review_groups_data: review.groups.map(groupView),
    time_window: windowView(review),
    access_request_rule_name: review.rule ?? null,
    min_approvals: review.minimum,
    force_approval_groups: review.forceGroups,
    ...(review.rejectionReason !== undefined && { rejection_reason: review.rejectionReason }),
    ...(review.withdrawnBy !== undefined && { withdrawn_by: review.withdrawnBy }),
    connection: review.connection,
    owner: review.owner,
    ...(machine !== undefined && { machine }),
    ...(reason !== undefined && { reason }),
    ...(review.runbook !== undefined && { runbook: review.runbook }),
    expires_at: new Date(review.expiresAt).toISOString(),
    ...(scriptDigest.kind === 'sha256'
      ? { script_sha256: scriptDigest.hex }
      : { script_hmac_sha256: scriptDigest.hex }),
    client_args: clientArgs,
    env_vars: envVars,
    ...(review.whenApproved === true && { when_approved: true }),
    ...(review.status === 'APPROVED' && review.held !== undefined && { held: review.held }),
    ...(review.needs !== undefined && { needs: review.needs }),
    ...(review.batch !== undefined && { batch: batchView(review.batch) }),
    ...((review.isShort === true || isIncomplete(review)) && { is_shortened: true as const }),
  }
}

function batchView(batch: ReviewedBatch): NonNullable<ReviewInSession['batch']> {
  return { ...batch, connections: batch.connections ?? batch.waves.flat().length }
}

/** @param more what the caller may do about the review, and facts for a decision */
export function reviewView(
  review: ListedReview,
  more: Omit<ReviewAnswer, keyof ReviewInSession | 'session'>,
): ReviewAnswer {
  return { ...reviewInSession(review), session: review.sessionId, ...more }
}

/** Users of this gateway have only names, so hoop's other fields also contain the name. */
function groupView({
  id,
  group,
  status,
  reviewedBy: name,
  reviewedAt,
  forced,
  comment,
}: GroupReview): ReviewAnswer['review_groups_data'][number] {
  return {
    id,
    group,
    status,
    reviewed_by: name === undefined ? null : { id: name, name, email: name, slack_id: '' },
    review_date: timeOf(reviewedAt),
    forced_review: forced,
    ...(comment !== undefined && { comment }),
  }
}

function windowView({ timeWindow }: ListedReview): ReviewAnswer['time_window'] {
  if (timeWindow === undefined) return null
  return {
    type: 'time_range',
    configuration: { start_time: timeWindow.start, end_time: timeWindow.end },
  }
}
