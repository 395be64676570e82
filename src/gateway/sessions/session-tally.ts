import type { RpcCode } from '../../contract/statuses.ts'
import type { SessionEnd } from './session.ts'

/** `succeeded`: exit code 0. `failed`: any other. `no-code`: the agent has said none, or could not be asked. */
type Outcome = 'succeeded' | 'failed' | 'no-code'

/** How sessions ended since this gateway started. */
export class SessionTally {
  readonly outcomes: Record<Outcome, number> = { succeeded: 0, failed: 0, 'no-code': 0 }
  /** Why there is no code, where the gateway knows. */
  readonly codes = new Map<RpcCode, number>()
  /** What could not be written when it ended. */
  unrecorded = 0
  #told: (seconds: number) => void = () => undefined

  /** @param told of each session from now on, how long it took */
  follow(told: (seconds: number) => void): void {
    this.#told = told
  }

  count({ exitCode, failure, unrecorded }: SessionEnd, seconds: number): void {
    this.outcomes[exitCode === 0 ? 'succeeded' : exitCode < 0 ? 'no-code' : 'failed'] += 1
    if (failure !== undefined) this.codes.set(failure.code, (this.codes.get(failure.code) ?? 0) + 1)
    if (unrecorded !== undefined) this.unrecorded += 1
    this.#told(seconds)
  }
}
