import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { EventPlace, SessionFollower } from '../../history/reading/follower.ts'
import type { SessionSummary } from '../../history/session.ts'
import { EventStreams, type StreamLimits } from '../http/event-streams.ts'
import { HttpError } from '../http/http-error.ts'
import type { RestServices } from '../services.ts'
import { liveStream } from './live-stream.ts'

/** The streams of sessions that somebody watches. */
export class LiveStreams {
  readonly #history: RestServices['history']
  readonly #streams: EventStreams

  constructor(history: RestServices['history'], limits?: StreamLimits) {
    this.#history = history
    this.#streams = new EventStreams('sessions', limits)
  }

  /** Streams a session to whoever asks. @throws HttpError 422, 429 */
  send(request: FastifyRequest, reply: FastifyReply, { id, startedAt }: SessionSummary): FastifyReply {
    this.#streams.checkRoom(request.user.name)
    const follower = this.#follow(request, id)
    return this.#streams.send(request, reply, follower, (source, closing) =>
      liveStream(source, startedAt, closing),
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

export function foreignId(name = 'Last-Event-ID'): HttpError {
  const text = `${name}: there is no such event of this session; leave it out to begin with the first one`
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
