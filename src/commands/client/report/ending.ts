import { printableJson } from '../../../basics/text/printable.ts'
import { oneLine } from '../../../basics/text/one-line.ts'
import { ApiError } from '../../../client/rest/api-error.ts'
import { readAll } from '../../../basics/files/read-all.ts'
import type { Outcome } from '../../../client/running/outcome.ts'
import { reasonInWords, reasonOfCode, type NoExitReason } from '../../../client/running/session-end.ts'
import { exitCodes, Failure, exitCodeOfExecution } from '../../failure.ts'
import { ReaderGone } from '../terminal/byte-output.ts'
import type { SessionOutput } from '../terminal/session-output.ts'
import { blockedWords, explanation, type SessionSubject } from './end-report.ts'

/** The JSON is one string, and JavaScript limits the length of strings. */
const LONGEST_JSON_OUTPUT = 128 * 1024 * 1024

export interface EndingFlags {
  readonly json: boolean
  readonly quiet: boolean
}

/**
 * Writes the rest of the output to stdout, and the end to stderr.
 * @returns this program's exit code
 * @throws Failure with the reason when the execution has no exit code
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
    // The reader has left (`| head`). The end of the execution is still told.
    if (!(error instanceof ReaderGone)) throw error
  }
  if (process.stdout.isTTY && shown.isInLine) process.stderr.write('\n')
  return tellEnding(outcome, subject, flags.quiet)
}

/** Tells the end of an execution on stderr. @returns this program's exit code @throws Failure as `showEnding` */
export function tellEnding(outcome: Outcome, subject: SessionSubject, isQuiet: boolean): number {
  if (outcome.isTruncated)
    process.stderr.write(
      'runbook-agent: the output is incomplete: the agent or the gateway left out a part\n',
    )
  if (outcome.redactedBytes > 0)
    process.stderr.write(
      `runbook-agent: secrets in the output were replaced, ${outcome.redactedBytes} bytes of them\n`,
    )
  if (outcome.status === 'blocked') process.stderr.write(`${blockedWords(subject)}\n`)
  const code = exitCodeOfExecution(outcome.exitCode)
  if (outcome.exitCode === undefined) throw withoutCode(outcome, subject)
  if (code !== 0 && process.stderr.isTTY && !isQuiet)
    process.stderr.write(
      `runbook-agent: exit code ${outcome.exitCode} (session ${oneLine(outcome.sessionId)})\n`,
    )
  return code
}

async function asAnswer(outcome: Outcome): Promise<object> {
  const { sessionId } = outcome
  const tooLong = () =>
    new Failure(`the output is too long for --json: runbook-agent sessions output ${oneLine(sessionId)}`)
  const output = await readAll(outcome.output, LONGEST_JSON_OUTPUT, tooLong)
  const { session_id, ...end } = endFields(outcome)
  return { session_id, output: output.toString('utf8'), ...end }
}

/** The fields of an end in JSON. */
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

/** The failure when the output cannot be read. It must look neither like a success nor as if nothing had run. */
function withoutOutput(outcome: Outcome, subject: SessionSubject, { message }: ApiError): Failure {
  const { exitCode, sessionId } = outcome
  const how =
    exitCode === undefined
      ? withoutCode(outcome, subject)
      : new Failure(
          `it has ended with exit code ${exitCode}`,
          exitCodeOfExecution(exitCode) || exitCodes.unreachable,
        )
  return new Failure(
    oneLine(
      `${how.message}. Its output cannot be read: ${message}. Try again: runbook-agent sessions output ${sessionId}`,
    ),
    how.exitCode,
  )
}

function withoutCode(outcome: Outcome, subject: SessionSubject): Failure {
  const { reason = '' } = outcome
  const kind = kindOf(outcome)
  const { what, hint, exitCode } = explanation({ kind, message: reason }, subject)
  return new Failure(oneLine(hint === '' ? what : `${what}. ${hint}`), exitCode)
}

function kindOf({ code, reason = '' }: Outcome): NoExitReason {
  if (code !== undefined) return reasonOfCode(code)
  return reason === '' ? 'malformed' : reasonInWords(reason)
}
