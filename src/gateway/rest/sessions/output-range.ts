import type { OutputRange } from '../../../contract/sessions.ts'
import type { History } from '../../history/history.ts'
import type { PlacedEvent, SessionFollower } from '../../history/reading/follower.ts'
import type { SessionSummary } from '../../history/session.ts'
import { HttpError } from '../http/http-error.ts'
import { foreignId } from './live-streams.ts'
import { eventView } from './live-stream.ts'

const MOST_BYTES = 1024 * 1024
const USUAL_BYTES = 256 * 1024

interface AskedRange {
  readonly from: string | undefined
  readonly bytes: string | undefined
}

/**
 * A part of a session's output, by the places of its stream: a reader of long output keeps only the part that it shows,
 * and asks for the rest when it is needed.
 * @throws HttpError 422
 */
export function outputRange(
  history: History,
  { id, startedAt }: SessionSummary,
  asked: AskedRange,
): OutputRange {
  const from = numberIn(asked, 'from', 0, Number.MAX_SAFE_INTEGER)
  const most = Math.max(1, numberIn(asked, 'bytes', USUAL_BYTES, MOST_BYTES))
  using follower = history.follow(id, from)
  if (follower === undefined) throw foreignId('from')
  const { events, isAll } = firstEvents(follower, most)
  const { isOver, missingBytes } = follower.progression()
  return {
    events: events.map((event) => ({ place: event.place, ...eventView(event, startedAt) })),
    next: events.at(-1)?.place ?? from,
    over: isAll && isOver,
    missing_bytes: missingBytes,
  }
}

interface FirstEvents {
  readonly events: readonly PlacedEvent[]
  /** Nothing more is in the record so far. */
  readonly isAll: boolean
}

/** Whole ones, and one at least where there is one. */
function firstEvents(follower: SessionFollower, most: number): FirstEvents {
  const events: PlacedEvent[] = []
  for (let left = most; ;) {
    const some = follower.read()
    if (some.length === 0) return { events, isAll: true }
    for (const event of some) {
      if (left <= 0) return { events, isAll: false }
      left -= event.bytes.length
      events.push(event)
    }
  }
}

function numberIn(asked: AskedRange, name: keyof AskedRange, usual: number, most: number): number {
  const text = asked[name]
  if (text === undefined) return usual
  const value = /^\d{1,16}$/.test(text) ? Number(text) : -1
  if (value >= 0 && value <= most) return value
  throw new HttpError('invalid-request', `${name}: must be a whole number, ${most} at most`, 422)
}
