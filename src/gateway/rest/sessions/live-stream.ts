import type { EventAnswer } from '../../../contract/sessions.ts'
import { STREAM_KEEPALIVE, KEEPALIVE_MS } from '../http/event-streams.ts'
import type { PlacedEvent, SessionFollower } from '../../history/reading/follower.ts'

const END = 'event: session_end\ndata: {}\n\n'

/**
 * The text of a session's events as they come (protocol.md 10.4), to its end. `id` is the place behind an event: who
 * sends it back as `Last-Event-ID` goes on there. It is also with the first comment, for a connection that is lost
 * before the first event.
 * @param closing ends it where the session is, as soon as all is said that is known
 */
export async function* liveStream(
  follower: SessionFollower,
  startedAt: Date,
  closing: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  yield `: connected\nid: ${follower.place}\n\n`
  for (let toldBytes = 0; ;) {
    const text = eventsText(follower, startedAt)
    if (text !== '') {
      yield text
      continue
    }
    const { isOver, missingBytes } = follower.progression()
    if (missingBytes > toldBytes && (isOver || toldBytes === 0)) yield incomplete((toldBytes = missingBytes))
    else if (isOver) return yield END
    else if (closing.aborted) return
    else if (!(await follower.changed(KEEPALIVE_MS, closing))) yield STREAM_KEEPALIVE
  }
}

/** Said when output begins to be missing, and once more at the end. */
function incomplete(missingBytes: number): string {
  return `event: incomplete\ndata: ${JSON.stringify({ missing_bytes: missingBytes })}\n\n`
}

/** In a function of its own, so that a reader who takes his time holds the text alone and not the events too. */
function eventsText(follower: SessionFollower, startedAt: Date): string {
  return follower
    .read()
    .map((event) => eventText(event, startedAt))
    .join('')
}

function eventText(event: PlacedEvent, startedAt: Date): string {
  return `id: ${event.place}\nevent: event\ndata: ${JSON.stringify(eventView(event, startedAt))}\n\n`
}

/** What is told of an event, beside its place. */
export function eventView({ kind, seconds, bytes, isStderr }: PlacedEvent, startedAt: Date): EventAnswer {
  const time = new Date(startedAt.getTime() + Math.round(seconds * 1000)).toISOString()
  return {
    time,
    // Changes of the terminal's size are not followed.
    type: kind as EventAnswer['type'],
    ...(isStderr === true && { stream: 'stderr' }),
    payload: bytes.toString('base64'),
  }
}
