import type { GatewayCode } from '../../wire/gateway-codes.ts'

/**
 * `waiting` means that the batch waits for approval, or for its run after the approval. `done` (all runs have
 * begun and ended) and `stopped` are final.
 */
export type BatchStatus = 'waiting' | 'running' | 'done' | 'stopped'

/**
 * Why runs of a batch never begin:
 * - `threshold`: too many runs have failed
 * - `user`: a user has stopped the batch
 * - `rejected`: the approval was rejected or revoked, or it has expired
 * - `outside-time-window`: the approval does not allow runs at this time of day
 * - `not-permitted`: the owner may no longer run anything
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
  /** JSON of parameters by name, without secret parameters. */
  readonly parameters: string
  /** Number of connections in each wave. */
  readonly waves: readonly number[]
  /** Parallel runs per wave. */
  readonly parallel: number
  /** Number of failures that stops the batch. */
  readonly threshold: number
  readonly metadata: Readonly<Record<string, unknown>>
  readonly warning?: string
  /** The review, and the session that waits for the review, which is the session of the first run. */
  readonly review?: { readonly id: string; readonly session: string; readonly whenApproved?: true }
  readonly stop?: BatchStop
}

/**
 * `unknown` means that the gateway was killed when the run was about to begin, and nothing of the run is
 * recorded.
 */
type BatchRunStatus = 'not-begun' | 'running' | 'succeeded' | 'failed' | 'unknown'

/** The run of a batch on one of its connections. */
export interface BatchRun {
  /** Counts from 0, in the order in which runs begin. */
  readonly position: number
  /** Counts from 1. */
  readonly wave: number
  readonly connection: string
  readonly status: BatchRunStatus
  /** Missing before the run begins, and if it could not begin. */
  readonly session?: string
  /** Missing if the agent has reported no exit code. */
  readonly exitCode?: number
  /** Reason for the missing exit code: a code of docs/endings-and-codes.md. */
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
