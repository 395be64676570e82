import { constants } from 'node:os'
import { exitCode, NO_EXIT_CODE, type ExitStatus } from '../../runtime/exit-status.ts'
import type { SessionId } from '../../wire/messages/message.ts'
import type { JournalEntry } from '../journal/entries.ts'
import { NO_BYTES, type OutputBytes } from '../output/output-forwarder.ts'

/** Why the agent ended a session. */
export type TerminationReason =
  'closed-by-gateway' | 'gateway-lost' | 'agent-stopping' | 'timeout' | 'output-limit' | 'input-limit'

/** How a session ends towards the gateway: the code, and one plain line or nothing. */
export interface Closing {
  readonly exitCode: number
  readonly message: string
}

/** How an execution ended, with what is known of the circumstances. */
export interface ExecutionEnd {
  readonly status: ExitStatus
  /** Set when the end was ours. */
  readonly reason: TerminationReason | undefined
  /** Processes that the command left behind and the agent ended. */
  readonly processesEnded: number
  /** Set when memory was the cause of a SIGKILL. */
  readonly outOfMemory: 'certain' | 'likely' | undefined
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
  'output-limit': 'ended by the agent: the output limit (output.cap) was reached',
  'input-limit': 'ended by the agent: its program does not read, and 4 MiB of input were waiting for it',
}

/** The close of an execution. The message goes behind the user's output, so an ordinary end has none. */
export function closing(end: ExecutionEnd): Closing {
  const text = end.reason === undefined ? ownText(end) : reasons[end.reason] + unendedText(end)
  return { exitCode: codeOf(end), message: text === '' ? '' : text + endedText(end.processesEnded) }
}

/** The close of a session that was ended before its command was started. */
export function closingUnstarted(reason: TerminationReason): Closing {
  return { exitCode: ENDED_BY_US, message: reasons[reason] }
}

/** The close of a session that could not run at all. */
export function closingRefused(message: string): Closing {
  return { exitCode: NO_EXIT_CODE, message }
}

function codeOf({ status, reason }: ExecutionEnd): number {
  if (reason === 'timeout') return TIMED_OUT
  const code = exitCode(status)
  return reason !== undefined && code === 0 ? ENDED_BY_US : code
}

/** What is to be said when the end was the command's own or somebody else's. */
function ownText({ status, outOfMemory }: ExecutionEnd): string {
  switch (status.kind) {
    case 'exited':
      return ''
    case 'signaled':
      return `killed by signal ${constants.signals[status.signal]} (${status.signal})${memoryText(outOfMemory)}`
    case 'failed':
      return status.cause.message
  }
}

/** A command that outlived what ends commands; whoever reads this has to look after it. */
function unendedText({ status }: ExecutionEnd): string {
  return status.kind === 'failed' ? `; ${status.cause.message}` : ''
}

function memoryText(outOfMemory: ExecutionEnd['outOfMemory']): string {
  if (outOfMemory === undefined) return ''
  return outOfMemory === 'certain' ? ': out of memory' : ': probably out of memory'
}

function endedText(processes: number): string {
  if (processes === 0) return ''
  return processes === 1 ? '; 1 background process ended' : `; ${processes} background processes ended`
}

/** How a session ended, for its user and for the books. */
export interface Ended extends Closing {
  /** The command's own end, or why there was none. */
  readonly outcome: ExitStatus['kind'] | 'not-started' | 'refused'
  readonly signal?: NodeJS.Signals
  /** From the command's start, milliseconds. */
  readonly durationMs: number
  readonly bytes: OutputBytes
  readonly processesEnded: number
}

/** The end as an entry of the books. `closeSent`: whether the gateway was told. */
export function endedEntry(
  sid: SessionId,
  { exitCode, outcome, signal, durationMs, bytes, processesEnded }: Ended,
  { reason, closeSent }: { readonly reason: TerminationReason | undefined; readonly closeSent: boolean },
): Extract<JournalEntry, { event: 'ended' }> {
  return {
    event: 'ended',
    sid,
    outcome,
    exitCode,
    ...(signal !== undefined && { signal }),
    ...(reason !== undefined && { reason }),
    durationMs,
    bytesRead: bytes.read,
    bytesSent: bytes.sent,
    bytesLeftOut: bytes.leftOut,
    bytesRedacted: bytes.redacted,
    processesEnded,
    closeSent,
  }
}

/** The end of a session whose command never ran. */
export function notRun(closing: Closing, outcome: 'not-started' | 'refused' | 'failed'): Ended {
  return { ...closing, outcome, durationMs: 0, bytes: NO_BYTES, processesEnded: 0 }
}
