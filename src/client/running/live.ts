import { setTimeout as delay } from 'node:timers/promises'
import type { Account } from '../account/account.ts'
import { ApiError } from '../rest/api-error.ts'
import { SessionStream, type StreamedEvent } from '../rest/session-stream.ts'
import { type RecordedSession, openOutput, type RecordedOutput } from '../rest/sessions.ts'
import {
  AWAY_MS,
  FIRST_WAIT_MS,
  isPassing,
  longer,
  type ExecutionSight,
  type SessionPiece,
  watch,
} from './follow.ts'
import { outcomeOfRecord, outcomeOfShown, withOutput, type Outcome } from './outcome.ts'

/** Texts at the end of a record. This program shows its own texts instead of them. */
const REASON = /^(?:\n?rpc error: code = \w+ desc = )([^\n]*)$/
const BLOCKED =
  /Blocked (?:by the following Guardrails rule|because \d+ Guardrails rules were violated): [^]*$/

/** Output, or the reason of the end. */
type LastText = SessionPiece | undefined

/**
 * Yields all output of a session from its beginning, over any number of connections.
 * @returns the last text, which was not yielded yet, or `no-stream` when this gateway's stream cannot be used
 * @throws ApiError when the gateway was away for 5 minutes or refuses the request
 */
async function* watchLive(
  account: Account,
  id: string,
  signal: AbortSignal,
): AsyncGenerator<ExecutionSight, { readonly lastText: LastText } | 'no-stream'> {
  const stream = new SessionStream(account, id)
  const state = new Watch()
  for (;;) {
    try {
      const lastText = yield* state.seen(stream.connect(signal))
      if (lastText !== 'more') return { lastText }
      state.away(new ApiError('unreachable', 'the gateway has ended the stream'))
    } catch (error) {
      if (!state.isBegun && !signal.aborted && hasNoStream(error)) return 'no-stream'
      if (signal.aborted || !state.away(error)) throw error
    }
    yield { kind: 'away', reason: state.reason }
    await delay(state.wait, undefined, { signal })
  }
}

class Watch {
  isBegun = false
  reason = ''
  wait = FIRST_WAIT_MS
  #awaySince: number | undefined
  #last: SessionPiece | undefined

  /** Yields what one connection sends. @returns the last text when the session has ended, otherwise `more` */
  async *seen(
    events: AsyncIterable<StreamedEvent>,
  ): AsyncGenerator<ExecutionSight, LastText | 'more', undefined> {
    for await (const event of events) {
      if (this.#awaySince !== undefined) yield { kind: 'back' }
      this.isBegun = true
      this.#awaySince = undefined
      if (event.kind === 'ended') return this.#last
      if (event.kind === 'incomplete') yield event
      if (event.kind === 'event') yield* this.#held(event)
    }
    return 'more'
  }

  /** @returns whether to retry */
  away(error: unknown): boolean {
    this.#awaySince ??= performance.now()
    if (!(error instanceof ApiError)) return false
    this.reason = error.message
    this.wait = longer(this.wait)
    const mayPass = error.kind === 'busy' || isPassing(error)
    return mayPass && performance.now() - this.#awaySince <= AWAY_MS
  }

  /** If a piece may be the last text, holds it back until another event follows. */
  *#held(piece: SessionPiece): Generator<SessionPiece, void, undefined> {
    this.wait = FIRST_WAIT_MS
    if (this.#last !== undefined) yield this.#last
    const text = piece.type === 'e' ? piece.bytes.toString() : ''
    const isLast = REASON.test(text) || BLOCKED.test(text)
    this.#last = isLast ? piece : undefined
    if (!isLast) yield piece
  }
}

/** Whether the stream cannot be used: hoop's streams cannot be resumed, and `busy` means too many readers. */
function hasNoStream(error: unknown): boolean {
  return error instanceof ApiError && ['not-found', 'no-gateway', 'busy'].includes(error.kind)
}

function reasonOf(lastText: LastText): string | undefined {
  return REASON.exec(lastText?.bytes.toString() ?? '')?.[1]
}

/** Removes the record's list of broken rules. */
function withoutRules(lastText: SessionPiece): SessionPiece {
  return { ...lastText, bytes: Buffer.from(lastText.bytes.toString().replace(BLOCKED, '')) }
}

type Sights = AsyncGenerator<ExecutionSight, Outcome>

/** @throws ApiError */
export async function* liveToEnd(account: Account, id: string, signal: AbortSignal): Sights {
  const seen = yield* watchLive(account, id, signal)
  if (seen === 'no-stream') return yield* bySteps(account, id, signal)
  const session = yield* watch(account, id, () => false, signal)
  return yield* afterLive(session, seen.lastText)
}

/** Shows the output of a session without a stream. Reads the record again each time the record has grown. */
async function* bySteps(account: Account, id: string, signal: AbortSignal): Sights {
  const tail = new RecordedTail(account, id)
  const sights = watch(account, id, () => false, signal)
  for (;;) {
    const { done, value } = await sights.next()
    if (done === true) {
      const outcome = outcomeOfRecord(account, value, undefined, signal)
      return withOutput(outcome, tail.rest(outcome.output))
    }
    yield value
    if (value.kind === 'bytes') yield* tail.more(value.bytes, signal)
  }
}

/**
 * Yields what must be shown of the last text. The last text is output, the broken rules, or the reason for a
 * missing exit code.
 */
function* afterLive(session: RecordedSession, lastText: LastText): Generator<ExecutionSight, Outcome> {
  const outcome = outcomeOfShown(session, reasonOf(lastText))
  if (lastText !== undefined && outcome.status === 'blocked') yield withoutRules(lastText)
  else if (lastText !== undefined && (outcome.exitCode !== undefined || outcome.reason === undefined))
    yield lastText
  return outcome
}

/**
 * Bytes. Longer output is shown only after the session's end, because each piece needs a reading of all
 * output.
 */
const MAX_LIVE_BYTES = 8 * 1024 * 1024

/** The output of a session without a stream. */
class RecordedTail {
  readonly #account: Account
  readonly #id: string
  #shown = 0

  constructor(account: Account, id: string) {
    this.#account = account
    this.#id = id
  }

  /**
   * Yields the output that was not shown yet. Ignores a failure, because the next call or the session's end
   * reads the output again.
   * @param bytes the record's size
   */
  async *more(bytes: number, signal: AbortSignal): AsyncGenerator<SessionPiece, void, undefined> {
    if (bytes <= this.#shown || bytes > MAX_LIVE_BYTES) return
    try {
      const output = await openOutput(this.#account, this.#id, signal)
      for await (const piece of this.rest(output)) {
        yield { kind: 'event', type: 'o', time: undefined, bytes: piece }
        this.#shown += piece.length
      }
    } catch (error) {
      if (!(error instanceof ApiError) || signal.aborted) throw error
    }
  }

  /** Yields what was not shown yet. */
  async *rest(output: RecordedOutput): AsyncGenerator<Buffer, void, undefined> {
    let skip = this.#shown
    for await (const piece of output) {
      const left = piece.subarray(skip)
      skip = Math.max(0, skip - piece.length)
      if (left.length > 0) yield left
    }
  }
}
