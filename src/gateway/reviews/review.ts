import type { HttpCode } from '../../contract/statuses.ts'

/**
 * `PENDING` waits for people, `APPROVED` for its run. The others are final, except PROCESSING, which EXECUTED
 * follows.
 */
export type ReviewStatus = 'PENDING' | 'APPROVED' | 'REJECTED' | 'REVOKED' | 'PROCESSING' | 'EXECUTED'

export type ReviewVerdict = 'APPROVED' | 'REJECTED' | 'REVOKED'

export interface GroupReview {
  readonly id: string
  readonly group: string
  readonly status: 'PENDING' | ReviewVerdict
  readonly reviewedBy?: string
  /** Time in ms since 1970, like all times here. */
  readonly reviewedAt?: number
  readonly forced: boolean
  readonly comment?: string
}

/**
 * Time of day in which an approved script may run, UTC, `HH:MM`. The end may be before the start: over
 * midnight.
 */
export interface TimeWindow {
  readonly start: string
  readonly end: string
}

/**
 * A request to people to approve something, with the rule that applies and the facts that they see. Holds no
 * secrets.
 */
export interface Review {
  readonly id: string
  readonly sessionId: string
  readonly connection: string
  /** The requester. */
  readonly owner: string
  /** `onetime`: a script, which runs once. `jit`: terminals, for some time. */
  readonly type: 'onetime' | 'jit'
  /** The runbook that runs; undefined for a script. */
  readonly runbook?: ReviewedRunbook
  readonly status: ReviewStatus
  /** 0 for a script. */
  readonly accessMs: number
  /** Time of the last approval plus `accessMs`. */
  readonly revokeAt?: number
  /** Time at which it began to run. */
  readonly claimedAt?: number
  readonly createdAt: number
  /** A review that is not decided, or not run, by this time ends. */
  readonly expiresAt: number
  readonly groups: readonly GroupReview[]
  /** Number of groups that have to approve. */
  readonly minimum: number
  /** Approvals that a batch needs of each set of groups. Undefined: `minimum` of all. */
  readonly needs?: readonly ReviewNeed[]
  readonly forceGroups: readonly string[]
  readonly selfApproval: boolean
  /** The path of the runbooks' rule; undefined for the connection's own rule. */
  readonly rule?: string
  readonly timeWindow?: TimeWindow
  readonly rejectionReason?: string
  readonly shown: ShownRequest
  /** The gateway itself runs it once it is approved, as its owner has asked. */
  readonly whenApproved?: true
  /** Why the gateway has not run it yet. */
  readonly held?: HeldRun
  /** Undefined: the review is for its session alone. */
  readonly batch?: ReviewedBatch
}

/** The title is that of the moment in which it was asked for. */
interface ReviewedRunbook {
  readonly file: string
  readonly title?: string
}

/** Reason why an approved run does not begin for now. */
export interface HeldRun {
  readonly code: HttpCode
  readonly message: string
}

export interface ReviewNeed {
  readonly groups: readonly string[]
  readonly minimum: number
}

/** Facts that reviewers see of a batch, which runs the same on each of the connections. */
export interface ReviewedBatch {
  readonly id: string
  /** Names of connections, wave by wave. */
  readonly waves: readonly (readonly string[])[]
  /** Number of parallel runs. */
  readonly parallel: number
  /** Number of failures that stops the batch. */
  readonly threshold: number
}

/** Facts that reviewers see of the request beside its session. */
export interface ShownRequest {
  /**
   * The hash of the script that will run, in hex. It is keyed where the script contains secrets: they could
   * be guessed from a plain hash.
   */
  readonly scriptDigest: { readonly kind: 'sha256' | 'hmac-sha256'; readonly hex: string }
  /** Arguments with secrets replaced. */
  readonly clientArgs: readonly string[]
  /** Names only. */
  readonly envVars: readonly string[]
}
