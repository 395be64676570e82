import { isatty } from 'node:tty'
import { readAll } from '../../../basics/files/small-file.ts'
import { didYouMean } from '../../../basics/text/nearest.ts'
import { oneLine, printableJson, printableLine, printableText } from '../../../basics/text/printable.ts'
import type { Account } from '../../../client/account/account.ts'
import { ApiError } from '../../../client/rest/api-error.ts'
import type { Outcome } from '../../../client/running/outcome.ts'
import {
  type NoExitReason,
  type StreamEnd,
  reasonInWords,
  reasonOfCode,
} from '../../../client/running/session-end.ts'
import type { GatewayCode } from '../../../wire/gateway-codes.ts'
import { exitCodes, exitCodeOfExecution, Failure } from '../../exit-codes.ts'
import { ReaderGone, type SessionOutput } from '../terminal/output.ts'
import type { Notice } from './notices.ts'

export interface SessionSubject {
  readonly verb: 'run' | 'exec' | 'connect'
  readonly connection: string
  readonly address: string
  /** Undefined until the session is open. */
  readonly sessionId: string | undefined
}

export interface EndReport extends Notice {
  readonly exitCode: number
}

interface Words {
  readonly exitCode: number
  readonly what: (subject: SessionSubject, message: string) => string
  readonly hint: (subject: SessionSubject, code: GatewayCode | undefined) => string
}

const { noExitCode } = exitCodes
const none = () => ''
const seeSession = ({ sessionId }: SessionSubject) =>
  sessionId === undefined ? '' : `See how it ended: runbook-agent sessions show ${sessionId}`

/** The messages of these codes already say when to try again. */
const SAYS_WHEN: readonly GatewayCode[] = ['budget-spent', 'too-many-failed-sign-ins']

const WORDS: Readonly<Record<NoExitReason, Words>> = {
  unreachable: {
    exitCode: exitCodes.unreachable,
    what: ({ address }, message) => `the gateway ${address} cannot be reached: ${message}`,
    hint: () => 'Check that the gateway runs, and that this is its gRPC address (HOOP_GRPCURL)',
  },
  refused: {
    exitCode: exitCodes.refused,
    what: ({ address }, message) => `the gateway ${address} does not accept the token: ${message}`,
    hint: () => 'Get a new token: runbook-agent login',
  },
  'not-permitted': {
    exitCode: exitCodes.refused,
    what: ({ verb, connection }, message) => `the gateway does not permit ${verb} ${connection}: ${message}`,
    hint: none,
  },
  'not-found': {
    exitCode: exitCodes.usage,
    what: ({ address, connection }) =>
      `the gateway ${address} has no connection ${connection}, or you have no access to it`,
    hint: none,
  },
  invalid: {
    exitCode: exitCodes.usage,
    what: ({ verb, connection }, message) => `the gateway refuses this ${verb} ${connection}: ${message}`,
    hint: none,
  },
  busy: {
    exitCode: exitCodes.unreachable,
    what: ({ address }, message) => `the gateway ${address} is at a limit, nothing has run: ${message}`,
    hint: (_, code) =>
      code !== undefined && SAYS_WHEN.includes(code) ? '' : 'Try again when other sessions have ended',
  },
  offline: {
    exitCode: noExitCode,
    what: ({ connection }) => `the agent of ${connection} is offline: nothing has run`,
    hint: () => 'Start the agent, and try again',
  },
  killed: {
    exitCode: noExitCode,
    what: (_, message) => `the session was ended at the gateway: ${message}`,
    hint: none,
  },
  'gateway-stopped': {
    exitCode: noExitCode,
    what: ({ address }) => `the gateway ${address} was stopped, and has ended the session`,
    hint: none,
  },
  'gateway-draining': {
    exitCode: exitCodes.unreachable,
    what: ({ address }) =>
      `the gateway ${address} is stopping and starts no new sessions, so nothing has run`,
    hint: () => 'Try again when the gateway is back',
  },
  'agent-lost': {
    exitCode: noExitCode,
    what: ({ connection }, message) => `the gateway lost the agent of ${connection}: ${message}`,
    hint: seeSession,
  },
  'gateway-lost': {
    exitCode: noExitCode,
    what: ({ address }, message) => `the connection to the gateway ${address} was lost: ${message}`,
    hint: seeSession,
  },
  expired: {
    exitCode: noExitCode,
    what: (_, message) => `the gateway ended the session: ${message}`,
    hint: none,
  },
  failed: {
    exitCode: noExitCode,
    what: ({ verb, connection }, message) => `the gateway ended ${verb} ${connection}: ${message}`,
    hint: seeSession,
  },
  malformed: {
    exitCode: noExitCode,
    what: ({ connection }, message) =>
      `the session on ${connection} ended without an exit code${message === '' ? '' : `: ${message}`}`,
    hint: seeSession,
  },
}

/** Returns what the program waits for before the session is open. */
export function waitingFor({ connection, address }: SessionSubject): string {
  return `waiting for ${connection} at ${address}`
}

/** Reports the end. Only the message of an execution may have several lines. */
export function reportEnd(end: StreamEnd, subject: SessionSubject): EndReport {
  const message = printableText(end.message).replace(/^\n/, '')
  const fields = {
    event: 'ended',
    session_id: subject.sessionId ?? null,
    outcome: end.kind,
    exit_code: end.kind === 'exited' ? end.exitCode : null,
    message: end.message,
    truncated_bytes: end.kind === 'exited' ? end.truncatedBytes : 0,
  }
  if (end.kind === 'exited')
    return {
      exitCode: exitCodeOfExecution(end.exitCode),
      fields,
      text: end.isBlocked ? blockedWords(subject) : message,
    }
  const { exitCode, what, hint } = explanation(end, subject)
  return { exitCode, fields, text: `runbook-agent: ${what}`, hint }
}

/** Does not name the rule, because the output already does. */
function blockedWords({ connection }: Pick<SessionSubject, 'connection'>): string {
  return `runbook-agent: a guardrail rule of ${oneLine(connection)} stopped the session`
}

export function leftReport(exitCode: number, { connection, sessionId }: SessionSubject): EndReport {
  return {
    exitCode,
    fields: { event: 'left', session_id: sessionId ?? null },
    text: '',
    hint: `runbook-agent: left ${connection}; the session ends`,
  }
}

/**
 * Returns why the exit code is missing (`what`), and advice (`hint`), each in one line. The hint may be
 * empty.
 * @public scripts/docs.mjs makes a table of these texts
 */
export function explanation(
  { kind, message, code }: Extract<StreamEnd, { kind: NoExitReason }>,
  subject: SessionSubject,
): { exitCode: number; what: string; hint: string } {
  const { exitCode, what, hint } = WORDS[kind]
  return { exitCode, what: what(subject, printableLine(message)), hint: hint(subject, code) }
}

/** The wait is short, because the user waits for the error. */
const PATIENCE_MS = 3000

/**
 * Explains the end. For an unknown connection, suggests a similar name; for a refused token, names the profile.
 */
export async function explainEnd(
  end: StreamEnd,
  subject: SessionSubject,
  account: Account,
): Promise<EndReport> {
  const report = reportEnd(end, subject)
  if (end.kind === 'refused') return { ...report, hint: `Get a new token: ${account.renewal}` }
  if (end.kind !== 'not-found') return report
  const { connectionNamesIfKnown } = await import('../../../client/rest/connections.ts')
  const names = await connectionNamesIfKnown(account, AbortSignal.timeout(PATIENCE_MS))
  const meant = didYouMean(subject.connection, names)
  return meant === undefined ? report : { ...report, hint: oneLine(`D${meant.slice(1)}`) }
}

/** Bytes. In JSON the output is one string, and the length of a string is limited. */
const MAX_JSON_OUTPUT_BYTES = 128 * 1024 * 1024

export interface EndingFlags {
  readonly json: boolean
  readonly quiet: boolean
}

/**
 * @returns this program's exit code
 * @throws Failure with the reason if the execution has no exit code
 */
export async function showEnding(
  outcome: Outcome,
  subject: SessionSubject,
  flags: EndingFlags,
  shown: SessionOutput,
): Promise<number> {
  const { stdout } = shown
  try {
    if (flags.json) await stdout.write(Buffer.from(`${printableJson(await asAnswer(outcome))}\n`))
    else for await (const piece of outcome.output) await stdout.write(piece)
  } catch (error) {
    if (error instanceof ApiError) throw withoutOutput(outcome, subject, error)
    // If the reader has closed the pipe (`| head`), the end is still reported.
    if (!(error instanceof ReaderGone)) throw error
  }
  if (isatty(1) && shown.isInLine) process.stderr.write('\n')
  return tellEnding(outcome, subject, flags.quiet)
}

/**
 * @returns this program's exit code
 * @throws Failure with the reason if the execution has no exit code
 */
export function tellEnding(outcome: Outcome, subject: SessionSubject, isQuiet: boolean): number {
  if (outcome.isTruncated)
    process.stderr.write('runbook-agent: the output is incomplete: the agent or the gateway omitted a part\n')
  if (outcome.redactedBytes > 0)
    process.stderr.write(
      `runbook-agent: secrets in the output were replaced (${outcome.redactedBytes} bytes)\n`,
    )
  if (outcome.status === 'blocked') process.stderr.write(`${blockedWords(subject)}\n`)
  const code = exitCodeOfExecution(outcome.exitCode)
  if (outcome.exitCode === undefined) throw withoutCode(outcome, subject)
  if (code !== 0 && isatty(2) && !isQuiet)
    process.stderr.write(
      `runbook-agent: exit code ${outcome.exitCode} (session ${oneLine(outcome.sessionId)})\n`,
    )
  return code
}

async function asAnswer(outcome: Outcome): Promise<object> {
  const { sessionId } = outcome
  const tooLong = () =>
    new Failure(`the output is too long for --json: use runbook-agent sessions output ${oneLine(sessionId)}`)
  const output = await readAll(outcome.output, MAX_JSON_OUTPUT_BYTES, tooLong)
  const { session_id, ...end } = endFields(outcome)
  return { session_id, output: output.toString('utf8'), ...end }
}

export function endFields(outcome: Outcome) {
  return {
    session_id: outcome.sessionId,
    output_status: outcome.status,
    exit_code: outcome.exitCode,
    reason: outcome.reason,
    truncated: outcome.isTruncated,
    redacted_bytes: outcome.redactedBytes,
    execution_time: outcome.executionMs,
  }
}

/**
 * Makes the failure of an execution whose output cannot be read. It says how the execution ended, so that the
 * user knows whether the script ran.
 */
function withoutOutput(outcome: Outcome, subject: SessionSubject, { message }: ApiError): Failure {
  const { exitCode, sessionId } = outcome
  const how =
    exitCode === undefined
      ? withoutCode(outcome, subject)
      : new Failure(
          `the session ended with exit code ${exitCode}`,
          exitCodeOfExecution(exitCode) || exitCodes.unreachable,
        )
  return new Failure(
    oneLine(
      `${how.message}. Cannot read the output: ${message}. Try again: runbook-agent sessions output ${sessionId}`,
    ),
    how.exitCode,
  )
}

function withoutCode(outcome: Outcome, subject: SessionSubject): Failure {
  const { code, reason = '' } = outcome
  const end = { kind: kindOf(outcome), message: reason, ...(code !== undefined && { code }) }
  const { what, hint, exitCode } = explanation(end, subject)
  return new Failure(oneLine(hint === '' ? what : `${what}. ${hint}`), exitCode)
}

function kindOf({ code, reason = '' }: Outcome): NoExitReason {
  if (code !== undefined) return reasonOfCode(code)
  return reason === '' ? 'malformed' : reasonInWords(reason)
}
