import type { RpcCode } from '../../contract/statuses.ts'
import type { SessionEnd } from './session.ts'

/** `succeeded`: exit code 0. `no-code`: the agent gave no exit code, or was not reached. */
type Outcome = 'succeeded' | 'failed' | 'no-code'

/** Counts the sessions that have ended since the gateway's start. */
export class SessionTally {
  readonly outcomes: Record<Outcome, number> = { succeeded: 0, failed: 0, 'no-code': 0 }
  /** Number of sessions whose result the gateway could not learn from the agent, per reason. */
  readonly codes = new Map<RpcCode, number>()
  /** Number of sessions whose output or end could not be recorded. */
  unrecorded = 0
  #told: (seconds: number) => void = () => undefined

  /** @param told called with the duration in seconds of each command that ends from now on */
  follow(told: (seconds: number) => void): void {
    this.#told = told
  }

  count({ exitCode, failure, unrecorded, ranForSeconds }: SessionEnd): void {
    this.outcomes[exitCode === 0 ? 'succeeded' : exitCode < 0 ? 'no-code' : 'failed'] += 1
    if (failure !== undefined) this.codes.set(failure.code, (this.codes.get(failure.code) ?? 0) + 1)
    if (unrecorded !== undefined) this.unrecorded += 1
    if (ranForSeconds !== undefined) this.#told(ranForSeconds)
  }
}
