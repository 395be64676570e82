import type { GatewayCode } from '../../wire/gateway-codes.ts'

/** `waiting`: for approval, or for its run behind it. Nothing follows `done` (all have run) and `stopped`. */
export type BatchStatus = 'waiting' | 'running' | 'done' | 'stopped'

/**
 * Why runs of a batch never begin:
 * - `threshold`: too many have failed
 * - `user`: somebody has stopped it
 * - `rejected`: its approval was refused or taken back, or nobody has decided in time
 * - `outside-time-window`: the approval does not allow it at this time of day
 * - `not-permitted`: its owner may run nothing any more
 * - `history`: nothing can be recorded
 * - `gateway-stopped`: the gateway was stopped, or killed
 */
export type BatchStopReason =
  'threshold' | 'user' | 'rejected' | 'outside-time-window' | 'not-permitted' | 'history' | 'gateway-stopped'

export interface BatchStop {
  readonly reason: BatchStopReason
  /** For people. */
  readonly message: string
}

/** One runbook on several connections. Holds no secrets. Times are in ms since 1970. */
export interface Batch {
  readonly id: string
  /** Who asked for it. */
  readonly owner: string
  readonly status: BatchStatus
  readonly createdAt: number
  readonly startedAt?: number
  readonly endedAt?: number
  /** Key of the repository. */
  readonly repository: string
  readonly file: string
  /** As it was when it was asked for. */
  readonly title?: string
  readonly commit: string
  /** JSON: name to value, without secret ones. */
  readonly parameters: string
  /** How many connections each has; together all. */
  readonly waves: readonly number[]
  /** How many connections of one wave run at once. */
  readonly parallel: number
  /** So many failures stop it. */
  readonly threshold: number
  readonly metadata: Readonly<Record<string, unknown>>
  readonly warning?: string
  /** What has to be approved, and the session that waits for it: that of the first run. */
  readonly review?: { readonly id: string; readonly session: string; readonly whenApproved?: true }
  readonly stop?: BatchStop
}

/** `unknown`: it was about to begin when the gateway was killed, and nothing is recorded of it. */
type BatchRunStatus = 'not-begun' | 'running' | 'succeeded' | 'failed' | 'unknown'

/** The batch on one of its connections. */
export interface BatchRun {
  /** From 0, in the order in which they begin. */
  readonly position: number
  /** From 1. */
  readonly wave: number
  readonly connection: string
  readonly status: BatchRunStatus
  /** Missing while it has not begun, and where it could not begin. */
  readonly session?: string
  /** Missing where the agent has told none. */
  readonly exitCode?: number
  /** Why there is no exit code, by docs/endings-and-codes.md. */
  readonly code?: GatewayCode
  readonly message?: string
  readonly startedAt?: number
  readonly endedAt?: number
  /** The same for the same output. */
  readonly fingerprint?: string
}

/** A batch and all of its runs, by position. */
export interface BatchState {
  readonly batch: Batch
  readonly runs: readonly BatchRun[]
}

export function hasFailed({ status }: BatchRun): boolean {
  return status === 'failed' || status === 'unknown'
}

export function isOver({ status }: Batch): boolean {
  return status === 'done' || status === 'stopped'
}
