import { finished, Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { within } from '../../../basics/within.ts'
import type { EventPlace, SessionFollower } from '../../history/reading/follower.ts'
import type { SessionSummary } from '../../history/session.ts'
import { HttpError } from '../http/http-error.ts'
import type { RestServices } from '../services.ts'
import { liveStream } from './live-stream.ts'

export interface LiveLimits {
  /** Streams at once. Each has a socket, and up to 1 MiB for a reader that is slow. */
  readonly streams: number
  readonly ofOneUser: number
  /** For a reader to take the next piece. He can come back and go on where he was. */
  readonly pieceMs: number
  /** For streams to say what is left when the gateway closes. */
  readonly closingMs: number
}

const LIVE_LIMITS: LiveLimits = { streams: 256, ofOneUser: 64, pieceMs: 60_000, closingMs: 1000 }

const HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache',
  // For nginx, which would hold back what comes.
  'x-accel-buffering': 'no',
}

interface LiveReader {
  readonly user: string
  /** Its connection is. */
  readonly over: Promise<void>
  readonly end: () => void
}

/** The streams of sessions that somebody watches. */
export class LiveStreams {
  readonly #history: RestServices['history']
  readonly #limits: LiveLimits
  readonly #readers = new Set<LiveReader>()

  constructor(history: RestServices['history'], limits: LiveLimits = LIVE_LIMITS) {
    this.#history = history
    this.#limits = limits
  }

  /** Streams a session to whoever asks. @throws HttpError 422, 429 */
  send(request: FastifyRequest, reply: FastifyReply, session: SessionSummary): FastifyReply {
    const user = request.user.name
    this.#checkRoom(user)
    const follower = this.#follow(request, session.id)
    const { raw } = reply
    // Its reader may be gone while it waits for the session, so the wait has to end with the connection.
    const over = new AbortController()
    const end = () => over.abort()
    const closed = new Promise<void>((resolve) => finished(raw, () => resolve()))
    const reader = { user, over: closed, end }
    this.#readers.add(reader)
    void closed.then(() => {
      end()
      follower[Symbol.dispose]()
      this.#readers.delete(reader)
    })
    const pieces = this.#watched(liveStream(follower, session.startedAt, over.signal), () => raw.destroy())
    return reply.headers(HEADERS).send(Readable.from(pieces, { objectMode: false }))
  }

  /** Ends all streams, each behind what is known of its session; those that are not read, where they are. */
  async close(): Promise<void> {
    for (const { end } of this.#readers) end()
    await within(Promise.all([...this.#readers].map(({ over }) => over)), this.#limits.closingMs)
  }

  #checkRoom(user: string): void {
    const { streams, ofOneUser } = this.#limits
    const own = [...this.#readers].filter((reader) => reader.user === user).length
    const refuse = (text: string) => new HttpError('too-many-clients', `this gateway serves ${text} at once`)
    if (this.#readers.size >= streams) throw refuse(`${streams} streams of sessions`)
    if (own >= ofOneUser) throw refuse(`${ofOneUser} streams of sessions of one user`)
  }

  #follow({ headers, query }: FastifyRequest, id: string): SessionFollower {
    const from = beginning(headers['last-event-id'], (query as Readonly<Record<string, unknown>>)['from'])
    const follower = this.#history.follow(id, from)
    if (follower === undefined) throw foreignId()
    return follower
  }

  /** Gives up a reader who takes nothing. */
  async *#watched(
    pieces: AsyncIterable<string>,
    giveUp: () => void,
  ): AsyncGenerator<string, void, undefined> {
    for await (const piece of pieces) {
      const late = setTimeout(giveUp, this.#limits.pieceMs)
      try {
        yield piece
      } finally {
        clearTimeout(late)
      }
    }
  }
}

/** Where a reader wants to begin. His last event wins: he has lost his connection. @throws HttpError 422 */
function beginning(lastEventId: string | readonly string[] | undefined, from: unknown): EventPlace | 'now' {
  if (lastEventId !== undefined && lastEventId !== '') {
    if (typeof lastEventId !== 'string' || !/^\d{1,15}$/.test(lastEventId)) throw foreignId()
    return Number(lastEventId)
  }
  if (from === undefined || from === 'start') return 0
  if (from === 'now') return from
  throw new HttpError('invalid-request', 'from: has to be start or now', 422)
}

function foreignId(): HttpError {
  const text =
    'Last-Event-ID: there is no such event of this session; leave it out to begin with the first one'
  return new HttpError('invalid-request', text, 422)
}

/** The route, and the end of its streams when the server closes. */
export function liveRoute(
  app: FastifyInstance,
  { history }: Pick<RestServices, 'history'>,
  find: (request: FastifyRequest, id: string) => SessionSummary,
): void {
  const streams = new LiveStreams(history)
  app.addHook('preClose', async () => streams.close())
  app.get<{ Params: { id: string } }>(
    '/api/sessions/:id/stream',
    // fastify would answer HEAD by reading the stream to its end.
    { exposeHeadRoute: false },
    (request, reply) => streams.send(request, reply, find(request, request.params.id)),
  )
}
