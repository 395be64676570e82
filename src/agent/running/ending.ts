import { constants } from 'node:os'
import { exitCode, NO_EXIT_CODE, type ExitStatus } from '../../runtime/exit-status.ts'
import type { SessionId } from '../../wire/messages/message.ts'
import type { JournalEntry } from '../journal/entries.ts'
import { NO_BYTES, type OutputBytes } from '../output/sent-output.ts'

/** Why the agent ended a command. */
export type TerminationReason =
  'closed-by-gateway' | 'gateway-lost' | 'agent-stopping' | 'timeout' | 'output-limit' | 'input-limit'

/** How a command ended, or why it never ran: all that close, answer, journal and log say. */
export interface Ending {
  readonly exitCode: number
  /** One plain line, or nothing. It goes behind the user's output, so an ordinary end has none. */
  readonly message: string
  /** The command's own end, or why there was none. */
  readonly outcome: ExitStatus['kind'] | 'not-started' | 'refused'
  readonly signal?: NodeJS.Signals
  /** Set when the end was ours. */
  readonly reason: TerminationReason | undefined
  /** Of what kind the error was that refused it; its message may quote arguments, which a log must not. */
  readonly refusal?: string
  /** From the command's start, milliseconds. */
  readonly durationMs: number
  readonly bytes: OutputBytes
  /** Processes that the command left behind and the agent ended. */
  readonly processesEnded: number
}

/** What is known of an execution that has ended. */
export interface EndedExecution {
  readonly status: ExitStatus
  readonly reason: TerminationReason | undefined
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

/** Code, text and outcome of a command that ran. */
export function endingOf(end: EndedExecution): Omit<Ending, 'durationMs' | 'bytes'> {
  const { status, reason, processesEnded } = end
  const text = reason === undefined ? ownText(end) : reasons[reason] + unendedText(end)
  return {
    exitCode: codeOf(end),
    message: text === '' ? '' : text + endedText(processesEnded),
    outcome: status.kind,
    ...(status.kind === 'signaled' && { signal: status.signal }),
    reason,
    processesEnded,
  }
}

/** One that was ended before its command was started. */
export function endingUnstarted(reason: TerminationReason): Ending {
  return notRun({ exitCode: ENDED_BY_US, message: reasons[reason], outcome: 'not-started', reason })
}

/** One that could not run at all. */
export function endingRefused(message: string, outcome: 'refused' | 'failed' = 'refused'): Ending {
  return notRun({ exitCode: NO_EXIT_CODE, message, outcome, reason: undefined })
}

function notRun(ending: Pick<Ending, 'exitCode' | 'message' | 'outcome' | 'reason'>): Ending {
  return { ...ending, durationMs: 0, bytes: NO_BYTES, processesEnded: 0 }
}

/** Whether the command was started, so that its code is its own. */
export function hasRun({ outcome }: Ending): boolean {
  return outcome === 'exited' || outcome === 'signaled'
}

/** The end as an entry of the journal. `closeSent`: whether the gateway was told. */
export function endedEntry(
  sid: SessionId,
  { exitCode, outcome, signal, reason, durationMs, bytes, processesEnded }: Ending,
  closeSent: boolean,
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

function codeOf({ status, reason }: EndedExecution): number {
  if (reason === 'timeout') return TIMED_OUT
  const code = exitCode(status)
  return reason !== undefined && code === 0 ? ENDED_BY_US : code
}

/** What is to be said when the end was the command's own or somebody else's. */
function ownText({ status, outOfMemory }: EndedExecution): string {
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
function unendedText({ status }: EndedExecution): string {
  return status.kind === 'failed' ? `; ${status.cause.message}` : ''
}

function memoryText(outOfMemory: EndedExecution['outOfMemory']): string {
  if (outOfMemory === undefined) return ''
  return outOfMemory === 'certain' ? ': out of memory' : ': probably out of memory'
}

function endedText(processes: number): string {
  if (processes === 0) return ''
  return processes === 1 ? '; 1 background process ended' : `; ${processes} background processes ended`
}
