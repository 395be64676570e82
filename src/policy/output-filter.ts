/** Looks through one stream of output and gives on what may be shown. */
export interface OutputFilter {
  /** Bytes that came and are not given on yet. */
  readonly held: number
  /** Whether `release` would give something out now: what is held may be shown after a short wait. */
  readonly isReleasable: boolean
  /** @returns what may go out now. It may share the memory of `data`, and is valid until the next call */
  push(data: Buffer): Buffer | Promise<Buffer>
  release(): Buffer
  /** The rest, when the stream has ended. */
  end(): Buffer | Promise<Buffer>
}

/** Why a policy has stopped an output. */
export type StopReason = 'guardrails' | 'masking'

/** A filter throws it when nothing more of the output may leave. The command is ended then. */
export abstract class OutputStopped extends Error {
  abstract readonly reason: StopReason
}
