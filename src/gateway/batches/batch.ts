import type { GatewayCode } from '../../wire/gateway-codes.ts'

/**
 * `waiting`: for approval, or for its run after the approval. `done` (all have run) and `stopped` are final.
 */
export type BatchStatus = 'waiting' | 'running' | 'done' | 'stopped'

/**
 * Why runs of a batch never begin:
 * - `threshold`: too many runs have failed
 * - `user`: a user has stopped the batch
 * - `rejected`: the approval was rejected or revoked, or it has expired
 * - `outside-time-window`: the approval does not allow it at this time of day
 * - `not-permitted`: the owner may run nothing any more
 * - `history`: nothing can be recorded
 * - `gateway-stopped`: the gateway was stopped, or killed
 */
export type BatchStopReason =
  'threshold' | 'user' | 'rejected' | 'outside-time-window' | 'not-permitted' | 'history' | 'gateway-stopped'

export interface BatchStop {
  readonly reason: BatchStopReason
  readonly message: string
}

/** One runbook on several connections. Holds no secrets. Times are in ms since 1970. */
export interface Batch {
  readonly id: string
  readonly owner: string
  readonly status: BatchStatus
  readonly createdAt: number
  readonly startedAt?: number
  readonly endedAt?: number
  /** Key of the repository. */
  readonly repository: string
  readonly file: string
  /** Title at the time of the request. */
  readonly title?: string
  readonly commit: string
  /** JSON: name to value, without secret ones. */
  readonly parameters: string
  /** Number of connections per wave. The sum is the number of all connections. */
  readonly waves: readonly number[]
  /** Parallel runs per wave. */
  readonly parallel: number
  /** Number of failures that stops the batch. */
  readonly threshold: number
  readonly metadata: Readonly<Record<string, unknown>>
  readonly warning?: string
  /** The review, and the session that waits for it: the session of the first run. */
  readonly review?: { readonly id: string; readonly session: string; readonly whenApproved?: true }
  readonly stop?: BatchStop
}

/** `unknown`: the gateway was killed when the run was about to begin, and nothing is recorded of it. */
type BatchRunStatus = 'not-begun' | 'running' | 'succeeded' | 'failed' | 'unknown'

/** The run of a batch on one of its connections. */
export interface BatchRun {
  /** Counts from 0, in the order in which runs begin. */
  readonly position: number
  /** Counts from 1. */
  readonly wave: number
  readonly connection: string
  readonly status: BatchRunStatus
  /** Missing before the run begins, and where it could not begin. */
  readonly session?: string
  /** Missing where the agent has reported none. */
  readonly exitCode?: number
  /** Code of docs/endings-and-codes.md that says why there is no exit code. */
  readonly code?: GatewayCode
  readonly message?: string
  readonly startedAt?: number
  readonly endedAt?: number
  /** Hash of the output: equal outputs have equal fingerprints. */
  readonly fingerprint?: string
}

/** A batch and all of its runs, ordered by position. */
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
