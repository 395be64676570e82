import { constants } from 'node:os'
import { exitCode, type ExitStatus } from '../runtime/exit-status.ts'

/** Why the agent ended a session. */
export type TerminationReason = 'closed-by-gateway' | 'gateway-lost' | 'agent-stopping' | 'timeout'

/** How a session ends towards the gateway: the code, and one plain line or nothing. */
export interface Closing {
  readonly exitCode: number
  readonly message: string
}

/** What a command that we ended with SIGTERM is, even when it then left with 0: not a success. */
const ENDED_BY_US = 128 + constants.signals.SIGTERM

/** As timeout(1) has it. */
const TIMED_OUT = 124

const reasons: Readonly<Record<TerminationReason, string>> = {
  'closed-by-gateway': 'ended by the agent: the gateway closed the session',
  'gateway-lost': 'ended by the agent: the connection to the gateway was lost',
  'agent-stopping': 'ended by the agent: the agent is stopping',
  timeout: 'ended by the agent: the time limit (execution.max-duration) was reached',
}

/** The close of an execution. The message goes behind the user's output, so an ordinary end has none. */
export function closing(status: ExitStatus, reason: TerminationReason | undefined): Closing {
  const code = exitCode(status)
  if (reason === 'timeout') return { exitCode: TIMED_OUT, message: reasons[reason] }
  if (reason !== undefined) return { exitCode: code === 0 ? ENDED_BY_US : code, message: reasons[reason] }
  switch (status.kind) {
    case 'exited':
      return { exitCode: code, message: '' }
    case 'signaled':
      return {
        exitCode: code,
        message: `killed by signal ${constants.signals[status.signal]} (${status.signal})`,
      }
    case 'failed':
      return { exitCode: code, message: status.cause.message }
  }
}

/** The close of a session whose command was never started. */
export function closedUnstarted(reason: TerminationReason): Closing {
  return { exitCode: ENDED_BY_US, message: reasons[reason] }
}
