import { constants } from 'node:os'
import { NO_EXIT_CODE } from '../../basics/exit-code.ts'
import { SetUpError } from '../../basics/set-up-error.ts'
import { EnvvarError } from '../../envvars/errors.ts'
import { TemplateError } from '../../golang/template/errors.ts'
import type { OutputStopped, StopReason } from '../../policy/output-filter.ts'
import { exitCode, type ExitStatus } from '../../runtime/exit-status.ts'
import type { SessionId } from '../../wire/messages/message.ts'
import { type Blocked, blockedOutput } from '../policy/guardrails.ts'
import { RefusedError, STARTED_BEFORE, type AllowListName } from '../refused.ts'
import type { JournalEntry } from '../journal/entries.ts'
import { NO_BYTES, type OutputBytes } from '../output/sent-output.ts'

/**
 * Why the agent ended a command: its own reason, the reason that stopped the output, the owner's lists, or that
 * it has started the session before.
 */
export type TerminationReason = keyof typeof REASONS | StopReason | 'policy' | 'started-before'

/**
 * Texts for the user. The page has shorter texts in gateway/sessions/session-state.ts, and its texts for exit
 * codes in web/src/views/sessions/exit-code.ts.
 */
const REASONS = {
  'closed-by-gateway': 'ended by the agent: the gateway closed the session',
  'gateway-lost': 'ended by the agent: the connection to the gateway was lost',
  'agent-stopping': 'ended by the agent: the agent is stopping',
  timeout: 'ended by the agent: the time limit (execution.max-duration) was reached',
  'output-limit': 'ended by the agent: the output limit (output.cap) was reached',
  'input-limit': 'ended by the agent: the program does not read, and its waiting input takes 4 MiB',
} as const

/** Reasons that do not count after the command has ended by itself. */
export const ONLY_WHILE_RUNNING: ReadonlySet<TerminationReason> = new Set([
  'timeout',
  'agent-stopping',
  'input-limit',
])

/** Reasons after which nobody waits for the remaining output, so no filter waits for an answer. */
export const UNAWAITED: ReadonlySet<TerminationReason> = new Set([
  'closed-by-gateway',
  'gateway-lost',
  'agent-stopping',
  'guardrails',
  'masking',
])

/** The close packet, the answer, the journal and the log are made only from this end. */
export interface CommandEnd {
  readonly exitCode: number
  /** One plain line, shown directly after the user's output. Empty for an ordinary end. */
  readonly message: string
  /** The command's own end, or why it never ran. */
  readonly outcome: ExitStatus['kind'] | 'not-started' | 'refused'
  readonly signal?: NodeJS.Signals
  /** Set if the agent ended the command. */
  readonly reason: TerminationReason | undefined
  /**
   * The kind of error that refused the command. Its message may quote arguments, which must not get into a
   * log.
   */
  readonly refusal?: string
  /** The guardrail rule that stopped the command, or kept it from running. */
  readonly blocked?: Blocked | undefined
  /** The owner's list that does not allow the command. */
  readonly forbiddenBy?: AllowListName
  /** Milliseconds from the command's start. */
  readonly durationMs: number
  readonly bytes: OutputBytes
  /** Background processes that the command left and the agent ended. */
  readonly processesEnded: number
}

export interface EndedExecution {
  /** Name of this agent, if it has one. */
  readonly agent: string | undefined
  readonly status: ExitStatus
  readonly reason: TerminationReason | undefined
  /** Set if a policy stopped the output, even if the command ended for another reason. */
  readonly stopped: OutputStopped | undefined
  readonly processesEnded: number
  /** Set if the command was killed for lack of memory. */
  readonly outOfMemory: 'certain' | 'likely' | undefined
}

/**
 * Exit code after the agent's SIGTERM. It replaces also the command's exit code 0, because such an end is no
 * success.
 */
const ENDED_BY_US = 128 + constants.signals.SIGTERM

/** Exit code after a timeout. The program timeout(1) uses the same code. */
const TIMED_OUT = 124

export function endingOf(end: EndedExecution): Omit<CommandEnd, 'durationMs' | 'bytes'> {
  const { status, reason, stopped, processesEnded } = end
  const blocked = blockedOutput(stopped)
  const text = textOf(end, blocked)
  return {
    exitCode: codeOf(end),
    message: text === '' ? '' : text + endedText(processesEnded),
    outcome: status.kind,
    ...(status.kind === 'signaled' && { signal: status.signal }),
    reason,
    ...(blocked !== undefined && { blocked }),
    processesEnded,
  }
}

/**
 * Errors whose message is for the user. The message may quote arguments, so the log has only the error's
 * name.
 */
const REFUSALS = [RefusedError, EnvvarError, SetUpError, TemplateError]

export const INTERNAL_ERROR = 'internal error of the agent; see its log'

/** Returns undefined if the error is a bug. */
export function endingOfRefusal(error: Error): CommandEnd | undefined {
  if (!REFUSALS.some((kind) => error instanceof kind)) return undefined
  const refusal = error.name
  if (refusal === 'StartedBefore') return { ...endingStartedBefore(), refusal }
  return error instanceof RefusedError && error.list !== undefined
    ? { ...endingForbidden(error.message, error.list), refusal }
    : { ...endingRefused(error.message), refusal }
}

export function endingUnstarted(reason: TerminationReason): CommandEnd {
  return endingWithoutRun({ exitCode: ENDED_BY_US, message: textFor(reason), outcome: 'not-started', reason })
}

/**
 * Returns the end of a session of native clients. Such a session usually ends because the client closes its
 * port.
 */
export function endingOfPort(reason: TerminationReason): CommandEnd {
  const ended: CommandEnd = { ...endingUnstarted(reason), outcome: 'exited' }
  if (reason === 'closed-by-gateway') return { ...ended, exitCode: 0 }
  if (reason === 'started-before') return endingStartedBefore()
  return reason === 'timeout' ? { ...ended, exitCode: TIMED_OUT } : ended
}

export function endingRefused(message: string, outcome: 'refused' | 'failed' = 'refused'): CommandEnd {
  return endingWithoutRun({ exitCode: NO_EXIT_CODE, message, outcome, reason: undefined })
}

/** The message is empty: the line for the user is sent earlier (protocol.md 4.6). */
export function endingBlocked(blocked: Blocked): CommandEnd {
  const ending = { exitCode: NO_EXIT_CODE, message: '', outcome: 'refused', reason: 'guardrails' } as const
  return { ...endingWithoutRun(ending), blocked }
}

function endingStartedBefore(): CommandEnd {
  const ending = { exitCode: NO_EXIT_CODE, message: STARTED_BEFORE, outcome: 'refused' } as const
  return endingWithoutRun({ ...ending, reason: 'started-before' })
}

function endingForbidden(message: string, forbiddenBy: AllowListName): CommandEnd {
  const ending = { exitCode: NO_EXIT_CODE, message, outcome: 'refused', reason: 'policy' } as const
  return { ...endingWithoutRun(ending), forbiddenBy }
}

function endingWithoutRun(
  ending: Pick<CommandEnd, 'exitCode' | 'message' | 'outcome' | 'reason'>,
): CommandEnd {
  return { ...ending, durationMs: 0, bytes: NO_BYTES, processesEnded: 0 }
}

/** Whether the exit code is the command's own. */
export function hasRun({ outcome }: CommandEnd): boolean {
  return outcome === 'exited' || outcome === 'signaled'
}

/** Returns the rule or list that ended the command, for operators of the agent. */
export function ruleOf({ blocked, forbiddenBy }: CommandEnd): string | undefined {
  return blocked?.rule ?? forbiddenBy
}

/** @param closeSent whether the close was sent to the gateway */
export function endedEntry(
  sid: SessionId,
  ending: CommandEnd,
  closeSent: boolean,
): Extract<JournalEntry, { event: 'ended' }> {
  const { exitCode, outcome, signal, reason, blocked, durationMs, bytes, processesEnded } = ending
  const rule = ruleOf(ending)
  return {
    event: 'ended',
    sid,
    outcome,
    exitCode,
    ...(signal !== undefined && { signal }),
    ...(reason !== undefined && { reason }),
    ...(rule !== undefined && { guardrail: rule }),
    ...(blocked !== undefined && { guardrailMessage: blocked.info.message }),
    durationMs,
    bytesRead: bytes.read,
    bytesSent: bytes.sent,
    bytesLeftOut: bytes.leftOut,
    bytesRedacted: bytes.redacted,
    processesEnded,
    closeSent,
  }
}

function codeOf({ status, reason, stopped }: EndedExecution): number {
  if (stopped !== undefined) return NO_EXIT_CODE
  if (reason === 'timeout') return TIMED_OUT
  const code = exitCode(status)
  return reason !== undefined && code === 0 ? ENDED_BY_US : code
}

function textOf(end: EndedExecution, blocked: Blocked | undefined): string {
  const { reason, stopped } = end
  // The close of a guardrail has no text (protocol.md 4.6); the line for the user was sent before.
  if (blocked !== undefined) return ''
  if (stopped !== undefined) return stopped.message + unendedText(end)
  return reason === undefined ? ownText(end) : textFor(reason) + unendedText(end)
}

function textFor(reason: TerminationReason): string {
  return reason in REASONS ? REASONS[reason as keyof typeof REASONS] : ''
}

/** Returns the text for a command that the agent did not end. */
function ownText({ agent, status, outOfMemory }: EndedExecution): string {
  switch (status.kind) {
    case 'exited':
      return ''
    case 'signaled':
      return `killed by signal ${constants.signals[status.signal]} (${status.signal})${memoryText(outOfMemory)}`
    case 'failed':
      // Hoop's text begins with the same words. The user has to know on which machine the program is missing.
      return agent === undefined ? status.cause.message : `${status.cause.message} (agent ${agent})`
  }
}

/** Returns the text for a command that survived all attempts to end it. An operator has to end it. */
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
