import type { GatewayCode } from '../../wire/gateway-codes.ts'
import { isStop } from '../history/end-states.ts'

/**
 * A `waiting` batch waits for its approval, or is approved and waits until somebody runs it. In a `done`
 * batch, all runs have begun and ended. `done` and `stopped` are final.
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
  /** JSON, without secret parameters. */
  readonly parameters: string
  /** Number of connections in each wave. */
  readonly waves: readonly number[]
  /** Parallel runs per wave. */
  readonly parallel: number
  /** Number of failures that stops the batch. */
  readonly threshold: number
  readonly metadata: Readonly<Record<string, unknown>>
  /** What the request had besides, without the values. Missing in batches of older versions. */
  readonly brought?: { readonly envVars: readonly string[]; readonly hasArguments: boolean }
  /** Id of the batch whose connections this batch runs again. */
  readonly retryOf?: string
  /** Id of the batch that runs connections of this batch again. */
  readonly retriedBy?: string
  readonly warning?: string
  /** `session` is the first run's session, which waits for the approval. */
  readonly review?: { readonly id: string; readonly session: string; readonly whenApproved?: true }
  readonly stop?: BatchStop
}

/**
 * `stopped`: somebody stopped the session of the run. `unknown`: the gateway was killed when the run was about to
 * begin, and nothing of the run is recorded.
 */
type BatchRunStatus = 'not-begun' | 'running' | 'succeeded' | 'failed' | 'stopped' | 'unknown'

export interface BatchRun {
  /** Counts from 0, in the order in which runs begin. */
  readonly position: number
  /** From 1. */
  readonly wave: number
  readonly connection: string
  readonly status: BatchRunStatus
  /** Missing if the run has not begun, or could not begin. */
  readonly session?: string
  /** Missing if the agent has reported no exit code. */
  readonly exitCode?: number
  /** Why the exit code is missing (docs/endings-and-codes.md). */
  readonly code?: GatewayCode
  readonly message?: string
  readonly startedAt?: number
  readonly endedAt?: number
  readonly fingerprint?: string
}

/** Runs are ordered by position. */
export interface BatchState {
  readonly batch: Batch
  readonly runs: readonly BatchRun[]
}

export function hasFailed({ status }: BatchRun): boolean {
  return status === 'failed' || status === 'unknown'
}

/**
 * Whether the run counts for the threshold. A stopped run does, because people stop a run that goes wrong, and the
 * next wave would do the same elsewhere.
 */
export function hasGoneWrong(run: BatchRun): boolean {
  return hasFailed(run) || run.status === 'stopped'
}

/** @param code cause of the end */
export function endStatus(
  exitCode: number | undefined,
  code: string | undefined,
): 'succeeded' | 'failed' | 'stopped' {
  if (isStop(code)) return 'stopped'
  return exitCode === 0 ? 'succeeded' : 'failed'
}

export function isOver({ status }: Batch): boolean {
  return status === 'done' || status === 'stopped'
}
