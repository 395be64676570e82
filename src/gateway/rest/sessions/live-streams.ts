import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { EventAnswer, OutputRange } from '../../../contract/session-output.ts'
import type { History } from '../../history/history.ts'
import type { EventPlace, SessionFollower, PlacedEvent } from '../../history/follower.ts'
import type { SessionSummary } from '../../history/session.ts'
import { refused, type RequestRefused } from '../../refusals/request-refused.ts'
import { EventStreams, type StreamLimits, STREAM_KEEPALIVE, KEEPALIVE_MS } from '../event-streams.ts'
import type { RestServices } from '../services.ts'

export class LiveStreams {
  readonly #history: RestServices['history']
  readonly #streams: EventStreams

  constructor(history: RestServices['history'], limits?: StreamLimits) {
    this.#history = history
    this.#streams = new EventStreams('sessions', limits)
  }

  /** @throws RequestRefused 422, 429 */
  send(request: FastifyRequest, reply: FastifyReply, session: SessionSummary): FastifyReply {
    this.#streams.checkRoom(request.user.name)
    const follower = this.#follow(request, session.id)
    const clock = clockOf(this.#history, session)
    return this.#streams.send(request, reply, follower, (source, closing) =>
      liveStream(source, clock, closing),
    )
  }

  close(): Promise<void> {
    return this.#streams.close()
  }

  #follow({ headers, query }: FastifyRequest, id: string): SessionFollower {
    const from = beginning(headers['last-event-id'], (query as Readonly<Record<string, unknown>>)['from'])
    const follower = this.#history.follow(id, from)
    if (follower === undefined) throw foreignId()
    return follower
  }
}

/** Returns a function for the time from which seconds count. It changes when the command begins. */
function clockOf(history: Pick<History, 'session'>, session: SessionSummary): () => Date {
  let known = session
  return () => {
    if (known.beganAt === undefined) known = history.session(session.id) ?? known
    return known.clockAt
  }
}

/**
 * Returns where a stream begins. The last event id counts more than `from`, because only a reader who has
 * lost the connection sends it.
 * @throws RequestRefused 422
 */
function beginning(lastEventId: string | readonly string[] | undefined, from: unknown): EventPlace | 'now' {
  if (lastEventId !== undefined && lastEventId !== '') {
    if (typeof lastEventId !== 'string' || !/^\d{1,15}$/.test(lastEventId)) throw foreignId()
    return Number(lastEventId)
  }
  if (from === undefined || from === 'start') return 0
  if (from === 'now') return from
  throw refused('invalid-request/from')
}

function foreignId(name = 'Last-Event-ID'): RequestRefused {
  return refused('invalid-request/event-id', { name })
}

/** Adds the route of live streams. The streams end when the server closes. */
export function liveRoute(
  app: FastifyInstance,
  { history }: Pick<RestServices, 'history'>,
  find: (request: FastifyRequest, id: string) => SessionSummary,
): void {
  const streams = new LiveStreams(history)
  app.addHook('preClose', async () => streams.close())
  app.get<{ Params: { id: string } }>(
    '/api/sessions/:id/stream',
    // There is no HEAD, because fastify would read the whole stream for it.
    { exposeHeadRoute: false },
    (request, reply) => streams.send(request, reply, find(request, request.params.id)),
  )
}

const END = 'event: session_end\ndata: {}\n\n'

/**
 * Yields the events as they are recorded (protocol.md 10.4), until the session ends. The `id` of an event is
 * the place after this event. A reader who sends this id as `Last-Event-ID` continues there. The first
 * comment also has an id, for a reader who loses the connection before the first event.
 * @param closing ends the stream after everything that is known so far
 */
async function* liveStream(
  follower: SessionFollower,
  clock: () => Date,
  closing: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  yield `: connected\nid: ${follower.place}\n\n`
  for (let toldBytes = 0; ;) {
    const text = eventsText(follower, clock)
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

/** Text that is sent when output is first missing, and once more at the end. */
function incomplete(missingBytes: number): string {
  return `event: incomplete\ndata: ${JSON.stringify({ missing_bytes: missingBytes })}\n\n`
}

/** A separate function, so that a slow reader keeps only the text in memory, not the events. */
function eventsText(follower: SessionFollower, clock: () => Date): string {
  const events = follower.read()
  if (events.length === 0) return ''
  const clockAt = clock()
  return events.map((event) => eventText(event, clockAt)).join('')
}

function eventText(event: PlacedEvent, clockAt: Date): string {
  return `id: ${event.place}\nevent: event\ndata: ${JSON.stringify(eventView(event, clockAt))}\n\n`
}

/** Leaves out the event's place. */
function eventView({ kind, seconds, bytes, isStderr }: PlacedEvent, clockAt: Date): EventAnswer {
  const time = new Date(clockAt.getTime() + Math.round(seconds * 1000)).toISOString()
  return {
    time,
    // The cast is safe: no event that is read here is a change of the terminal's size.
    type: kind as EventAnswer['type'],
    ...(isStderr === true && { stream: 'stderr' }),
    payload: bytes.toString('base64'),
  }
}

const MAX_BYTES = 1024 * 1024
const USUAL_BYTES = 256 * 1024

interface AskedRange {
  readonly from: string | undefined
  readonly bytes: string | undefined
}

/**
 * Returns a part of the output, from one place in the stream to another. Readers thus load only the visible
 * parts.
 * @throws RequestRefused 422
 */
export function outputRange(
  history: History,
  { id, clockAt }: SessionSummary,
  asked: AskedRange,
): OutputRange {
  const from = numberIn(asked, 'from', 0, Number.MAX_SAFE_INTEGER)
  const most = Math.max(1, numberIn(asked, 'bytes', USUAL_BYTES, MAX_BYTES))
  using follower = history.follow(id, from)
  if (follower === undefined) throw foreignId('from')
  const { events, isAll } = firstEvents(follower, most)
  const { isOver, missingBytes } = follower.progression()
  return {
    events: events.map((event) => ({ place: event.place, ...eventView(event, clockAt) })),
    next: events.at(-1)?.place ?? from,
    over: isAll && isOver,
    missing_bytes: missingBytes,
  }
}

interface FirstEvents {
  readonly events: readonly PlacedEvent[]
  /** True if the record has no more events so far. */
  readonly isAll: boolean
}

/** Returns whole events, and at least one event if there is any. */
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
  throw refused('invalid-request/number', { name, most })
}
