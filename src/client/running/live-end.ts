import type { Account } from '../account/account.ts'
import type { RecordedSession } from '../rest/sessions.ts'
import { watch, type ExecutionSight } from './follow.ts'
import { reasonOf, watchLive, withoutRules, type LastText } from './live.ts'
import { outcomeOfRecord, outcomeOfShown, withOutput, type Outcome } from './outcome.ts'
import { RecordedTail } from './recorded-tail.ts'

type Sights = AsyncGenerator<ExecutionSight, Outcome>

/** Follows a session to its end, its output as it comes. @throws ApiError */
export async function* liveToEnd(account: Account, id: string, signal: AbortSignal): Sights {
  const seen = yield* watchLive(account, id, signal)
  if (seen === 'no-stream') return yield* bySteps(account, id, signal)
  const session = yield* watch(account, id, () => false, signal)
  return yield* afterLive(session, seen.lastText)
}

/** Reads the record, where there is no stream, whenever it has grown. */
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
 * Reads the last text of a session: the reason why there is no exit code, the broken rules, or a text of the output.
 */
function* afterLive(session: RecordedSession, lastText: LastText): Generator<ExecutionSight, Outcome> {
  const outcome = outcomeOfShown(session, reasonOf(lastText))
  if (lastText !== undefined && outcome.status === 'blocked') yield withoutRules(lastText)
  else if (lastText !== undefined && (outcome.exitCode !== undefined || outcome.reason === undefined))
    yield lastText
  return outcome
}
