import { NO_EXIT_CODE } from '../../basics/exit-code.ts'
import type { GatewayCode } from '../../wire/gateway-codes.ts'
import type { Account } from '../account/account.ts'
import { ApiError } from '../rest/api-error.ts'
import { beginningOf, openOutput, type RecordedOutput, type RecordedSession } from '../rest/sessions.ts'
import type { ReadExecution } from './execution-request.ts'

export interface Outcome {
  readonly sessionId: string
  /** Undefined if the command could not run, was killed, or its agent was lost. */
  readonly exitCode: number | undefined
  /**
   * Why the exit code is missing, in the gateway's words. After a followed execution, this is set only when
   * the output has been read.
   */
  readonly reason: string | undefined
  /** Only the embedded gateway sends a code. */
  readonly code: GatewayCode | undefined
  /** Exact bytes in order of arrival. When reading throws an ApiError, the other fields stay valid. */
  readonly output: RecordedOutput
  readonly isTruncated: boolean
  /** Bytes of replaced secrets, if the gateway counts them. */
  readonly redactedBytes: number
  /**
   * `success` or another status that a gateway's answer has. For a followed execution, the status is derived
   * from the record.
   */
  readonly status: string
  readonly executionMs: number
}

/** A gRPC error as Go prints it. */
const RPC_ERROR = /(?:^|\n)?rpc error: code = (\w+) desc = ([^]*)$/

function reasonIn({ output }: ReadExecution): string | undefined {
  return RPC_ERROR.exec(output)?.[2]?.trim()
}

/**
 * Makes the outcome from an answer. If the answer has cut or changed the output, reads the output from the
 * record.
 */
export async function outcomeOfAnswer(
  account: Account,
  answer: ReadExecution,
  signal: AbortSignal,
): Promise<Outcome> {
  const isExact = !answer.truncated && !answer.output.includes('\ufffd')
  const given = [Buffer.from(answer.output)]
  return {
    sessionId: answer.session_id,
    ...codeOf(answer),
    output: isExact ? given : await recorded(account, answer.session_id, given, signal),
    isTruncated: answer.truncated,
    redactedBytes: answer.redacted_bytes,
    status: answer.output_status,
    executionMs: answer.execution_time,
  }
}

/**
 * Code 0 with a status other than `success` means that the gateway itself stopped the execution. Then the
 * code does not count.
 */
function codeOf({
  exit_code: exitCode,
  output_status: status,
}: ReadExecution): Pick<Outcome, 'exitCode' | 'reason' | 'code'> {
  const isContradiction = exitCode === 0 && status !== 'success' && status !== ''
  return isContradiction
    ? { exitCode: undefined, reason: `the gateway reports the status ${status}`, code: undefined }
    : { exitCode, reason: undefined, code: undefined }
}

/** Makes the outcome when the answer has no code and the session's end could not be found. */
export function outcomeWithoutRecord(answer: ReadExecution): Outcome {
  const reason = reasonIn(answer)
  return {
    sessionId: answer.session_id,
    exitCode: undefined,
    reason: reason ?? 'the gateway got no exit code from the agent',
    code: answer.code,
    output: [Buffer.from(reason === undefined ? answer.output : answer.output.replace(RPC_ERROR, ''))],
    isTruncated: answer.truncated,
    redactedBytes: answer.redacted_bytes,
    status: 'failed',
    executionMs: answer.execution_time,
  }
}

/** @param answer undefined when the answer was lost @param signal aborts the reading of the output */
export function outcomeOfRecord(
  account: Account,
  session: RecordedSession,
  answer: ReadExecution | undefined,
  signal: AbortSignal,
): Outcome {
  const facts = factsOf(session)
  const hasCode = facts.exitCode !== undefined
  const output = fetchOutput(account, session.id, signal)
  const end = new ReasonAtEnd(answer && reasonIn(answer))
  return {
    ...facts,
    get reason() {
      return hasCode ? undefined : end.reason
    },
    code: hasCode ? undefined : answer?.code,
    output: hasCode ? output : end.without(output),
  }
}

/**
 * Makes the outcome of a session whose output was already shown.
 * @param reason from the end of the session's record
 */
export function outcomeOfShown(session: RecordedSession, reason: string | undefined): Outcome {
  const facts = factsOf(session)
  return { ...facts, reason: facts.exitCode === undefined ? reason : undefined, code: undefined, output: [] }
}

/** Returns the outcome with other output, for a caller that has already shown a part of the output. */
export function withOutput(outcome: Outcome, output: RecordedOutput): Outcome {
  return {
    ...outcome,
    get reason() {
      return outcome.reason
    },
    output,
  }
}

function factsOf(session: RecordedSession): Omit<Outcome, 'reason' | 'code' | 'output'> {
  const { exit_code: exitCode } = session
  const isBlocked = hasGuardrails(session)
  const hasCode = exitCode !== undefined && (exitCode !== NO_EXIT_CODE || isBlocked)
  return {
    sessionId: session.id,
    exitCode: hasCode ? exitCode : undefined,
    isTruncated: session.truncated_bytes > 0,
    redactedBytes: session.redacted_bytes,
    status: isBlocked ? 'blocked' : exitCode === 0 ? 'success' : 'failed',
    executionMs: Date.parse(session.end_date) - Date.parse(beginningOf(session)) || 0,
  }
}

/** Requests the output only when the caller begins to read. */
async function* fetchOutput(account: Account, id: string, signal: AbortSignal): AsyncGenerator<Buffer, void> {
  yield* await openOutput(account, id, signal)
}

/**
 * Whether a guardrail rule was broken. Then 254 is the agent's exit code, and does not mean that the code is
 * missing.
 */
function hasGuardrails({ guardrails_info: broken }: RecordedSession): boolean {
  return broken !== undefined && broken.length > 0
}

async function recorded(
  account: Account,
  id: string,
  given: RecordedOutput,
  signal: AbortSignal,
): Promise<RecordedOutput> {
  try {
    return await openOutput(account, id, signal)
  } catch (error) {
    if (error instanceof ApiError) return given
    throw error
  }
}

/** Maximum bytes of a reason. A longer text is output. */
const MAX_REASON_BYTES = 4096
/** A gRPC error as Go prints it. */
const PREFIX = /rpc error: code = \w+ desc = $/
const WHOLE = /rpc error: code = \w+ desc = ([^\n]*)$/

/**
 * Separates recorded output from the reason of a missing exit code, which gateways append to the output. The
 * embedded gateway writes gRPC's prefix before the reason.
 */
class ReasonAtEnd {
  #reason: string | undefined

  /** @param known the reason in the gateway's answer */
  constructor(known: string | undefined) {
    this.#reason = known
  }

  get reason(): string | undefined {
    return this.#reason
  }

  async *without(output: RecordedOutput): AsyncGenerator<Buffer, void, undefined> {
    const length = Math.max(MAX_REASON_BYTES, 2 * Buffer.byteLength(this.#reason ?? ''))
    let held: Buffer = Buffer.alloc(0)
    for await (const piece of output) {
      held = Buffer.concat([held, piece])
      const sure = held.length - length
      if (sure <= 0) continue
      yield held.subarray(0, sure)
      held = held.subarray(sure)
    }
    const end = this.#endOfOutput(held)
    if (end > 0) yield held.subarray(0, end)
  }

  #endOfOutput(held: Buffer): number {
    // One character per byte, so that an index is an offset.
    const text = held.toString('latin1')
    if (this.#reason === undefined) return this.#find(held, text)
    const reason = Buffer.from(this.#reason).toString('latin1')
    return text.endsWith(reason)
      ? text.slice(0, text.length - reason.length).replace(PREFIX, '').length
      : held.length
  }

  #find(held: Buffer, text: string): number {
    const found = WHOLE.exec(text)
    if (found === null) return held.length
    this.#reason = held.subarray(held.length - (found[1] ?? '').length).toString()
    return found.index
  }
}
