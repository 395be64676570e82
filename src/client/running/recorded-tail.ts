import type { Account } from '../account/account.ts'
import { ApiError } from '../rest/http/api-error.ts'
import { openOutput, type RecordedOutput } from '../rest/sessions.ts'
import type { SessionPiece } from './follow.ts'

/** Bytes of output that are read again for each piece. Longer output is shown when the session has ended. */
const LONGEST = 8 * 1024 * 1024

/** The output of a session that has no stream: a record that grows, of which the end is shown each time. */
export class RecordedTail {
  readonly #account: Account
  readonly #id: string
  #shown = 0

  constructor(account: Account, id: string) {
    this.#account = account
    this.#id = id
  }

  /**
   * What is new when the record has so many bytes. A failure is ignored: it is tried again, at the end at the latest.
   */
  async *more(bytes: number, signal: AbortSignal): AsyncGenerator<SessionPiece, void, undefined> {
    if (bytes <= this.#shown || bytes > LONGEST) return
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

  /** The part of the whole output that has not been shown. */
  async *rest(output: RecordedOutput): AsyncGenerator<Buffer, void, undefined> {
    let skip = this.#shown
    for await (const piece of output) {
      const left = piece.subarray(skip)
      skip = Math.max(0, skip - piece.length)
      if (left.length > 0) yield left
    }
  }
}
