import type { HttpCode } from '../../contract/statuses.ts'

/** `PENDING` waits for people, `APPROVED` for its run. Nothing follows the others but EXECUTED, on PROCESSING. */
export type ReviewStatus = 'PENDING' | 'APPROVED' | 'REJECTED' | 'REVOKED' | 'PROCESSING' | 'EXECUTED'

/** What a reviewer can say. */
export type ReviewVerdict = 'APPROVED' | 'REJECTED' | 'REVOKED'

/** What one of the groups says. */
export interface GroupReview {
  readonly id: string
  readonly group: string
  readonly status: 'PENDING' | ReviewVerdict
  readonly reviewedBy?: string
  /** In ms since 1970, as all times here. */
  readonly reviewedAt?: number
  readonly forced: boolean
  readonly comment?: string
}

/** When an approved script may run: a time of day, UTC, `HH:MM`. The end may be before the start: over midnight. */
export interface TimeWindow {
  readonly start: string
  readonly end: string
}

/** One question to people, with the rule by which it is decided and what they are shown. Holds no secrets. */
export interface Review {
  readonly id: string
  readonly sessionId: string
  readonly connection: string
  /** Who asks. */
  readonly owner: string
  /** `onetime`: a script, which runs once. `jit`: terminals, for some time. */
  readonly type: 'onetime' | 'jit'
  /** What runs, where it is a runbook. */
  readonly runbook?: ReviewedRunbook
  readonly status: ReviewStatus
  /** 0 for a script. */
  readonly accessMs: number
  /** The last approval and the access together. */
  readonly revokeAt?: number
  /** When it began to run. */
  readonly claimedAt?: number
  readonly createdAt: number
  /** What is not decided, or not run, by then ends. */
  readonly expiresAt: number
  readonly groups: readonly GroupReview[]
  /** How many of the groups have to approve. */
  readonly minimum: number
  /** How many of each group a batch needs. Undefined: `minimum` of all. */
  readonly needs?: readonly ReviewNeed[]
  readonly forceGroups: readonly string[]
  readonly selfApproval: boolean
  /** The path of the runbooks' rule; undefined for the connection's own. */
  readonly rule?: string
  readonly timeWindow?: TimeWindow
  readonly rejectionReason?: string
  readonly shown: ShownRequest
  /** The gateway itself runs it once it is approved. Its owner has asked for that. */
  readonly whenApproved?: true
  /** Why that has not happened yet. */
  readonly held?: HeldRun
  /** Undefined: it is for its session alone. */
  readonly batch?: ReviewedBatch
}

/** The title is that of the moment in which it was asked for. */
export interface ReviewedRunbook {
  readonly file: string
  readonly title?: string
}

/** What keeps an approved run from its beginning for now. */
export interface HeldRun {
  readonly code: HttpCode
  readonly message: string
}

export interface ReviewNeed {
  readonly groups: readonly string[]
  readonly minimum: number
}

/** What reviewers see of a batch, which runs the same on each of the connections. */
export interface ReviewedBatch {
  readonly id: string
  /** Names of connections, wave by wave. */
  readonly waves: readonly (readonly string[])[]
  /** How many run at once. */
  readonly parallel: number
  /** So many failures stop it. */
  readonly threshold: number
}

/** What reviewers see of the request beside its session. */
export interface ShownRequest {
  /**
   * The hash of the script that will run, in hex. It is keyed where secrets stand in the script: they could be
   * guessed from a plain one.
   */
  readonly scriptDigest: { readonly kind: 'sha256' | 'hmac-sha256'; readonly hex: string }
  /** With secrets replaced. */
  readonly clientArgs: readonly string[]
  /** Names only. */
  readonly envVars: readonly string[]
}
