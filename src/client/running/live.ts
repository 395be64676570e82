import { setTimeout as delay } from 'node:timers/promises'
import type { Account } from '../account/account.ts'
import { ApiError } from '../rest/http/api-error.ts'
import { NoPlaces, SessionStream, type StreamedEvent } from '../rest/session-stream.ts'
import {
  AWAY_MS,
  FIRST_WAIT_MS,
  isPassing,
  longer,
  type ExecutionSight,
  type SessionPiece,
} from './follow.ts'

/** Texts at the end of a record that this program replaces by its own. */
const REASON = /^(?:\n?rpc error: code = \w+ desc = )([^\n]*)$/
const BLOCKED =
  /Blocked (?:by the following Guardrails rule|because \d+ Guardrails rules were violated): [^]*$/

/** The last text of a record, before its meaning is known. */
export type LastText = SessionPiece | undefined

/**
 * Everything a session writes, as it comes and from its beginning, over any number of connections.
 * @returns the last text, which was not yielded; `no-stream` when this gateway's stream cannot be used
 * @throws ApiError: away for 5 minutes, or a refusal
 */
export async function* watchLive(
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

/** The state of a session over several connections. */
class Watch {
  /** Whether the gateway has streamed something. */
  isBegun = false
  reason = ''
  wait = FIRST_WAIT_MS
  #awaySince: number | undefined
  #last: SessionPiece | undefined

  /** Reads one connection. @returns the last text when the session has ended */
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

  /** Notes a lost connection. @returns whether to try again */
  away(error: unknown): boolean {
    this.#awaySince ??= performance.now()
    if (!(error instanceof ApiError)) return false
    this.reason = error.message
    this.wait = longer(this.wait)
    const mayPass = error.kind === 'busy' || isPassing(error)
    return mayPass && performance.now() - this.#awaySince <= AWAY_MS
  }

  /** Holds back what may be the last text until another event follows. */
  *#held(piece: SessionPiece): Generator<SessionPiece, void, undefined> {
    this.wait = FIRST_WAIT_MS
    if (this.#last !== undefined) yield this.#last
    const text = piece.type === 'e' ? piece.bytes.toString() : ''
    const isLast = REASON.test(text) || BLOCKED.test(text)
    this.#last = isLast ? piece : undefined
    if (!isLast) yield piece
  }
}

/** Whether a gateway has no stream that can be resumed (hoop's cannot), or too many readers. */
function hasNoStream(error: unknown): boolean {
  if (error instanceof NoPlaces) return true
  return error instanceof ApiError && ['not-found', 'no-gateway', 'busy'].includes(error.kind)
}

/** The reason in the last text of a session without a code. */
export function reasonOf(lastText: LastText): string | undefined {
  return REASON.exec(lastText?.bytes.toString() ?? '')?.[1]
}

/** The last text of a session that was blocked, without what the record says of the rules. */
export function withoutRules(lastText: SessionPiece): SessionPiece {
  return { ...lastText, bytes: Buffer.from(lastText.bytes.toString().replace(BLOCKED, '')) }
}
