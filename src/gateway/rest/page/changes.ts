import type { FastifyInstance } from 'fastify'
import { EventStreams, STREAM_KEEPALIVE, KEEPALIVE_MS } from '../http/event-streams.ts'
import type { Sessions } from '../../sessions/sessions.ts'
import type { RestServices } from '../services.ts'
import { ChangeFeed, type ChangeListener } from './change-feed.ts'

/** Tells the page which of its lists to ask for again: topics alone, the same for everybody, and nothing of what is in them. */
export function changesRoute(app: FastifyInstance, { history, agents, sessions }: RestServices): void {
  const feed = new ChangeFeed(history, agents, sessions)
  const streams = new EventStreams('changes')
  app.addHook('preClose', async () => streams.close())
  app.get('/api/changes', { exposeHeadRoute: false }, (request, reply) => {
    streams.checkRoom(request.user.name)
    return streams.send(request, reply, feed.listen(), (listener, closing) =>
      changesText(listener, closing, sessions),
    )
  })
}

async function* changesText(
  listener: ChangeListener,
  closing: AbortSignal,
  sessions: Pick<Sessions, 'stopsAt'>,
): AsyncGenerator<string, void, undefined> {
  yield ': connected\n\n'
  if (sessions.stopsAt !== undefined) yield changed([], sessions.stopsAt)
  for (;;) {
    const topics = await listener.next(KEEPALIVE_MS, closing)
    if (topics.length > 0) yield changed(topics, sessions.stopsAt)
    else if (closing.aborted) return
    else yield STREAM_KEEPALIVE
  }
}

/** @param stopsAt when a gateway that is stopping ends the running sessions */
function changed(topics: readonly string[], stopsAt: number | undefined): string {
  const stops = stopsAt === undefined ? {} : { stops_at: new Date(stopsAt).toISOString() }
  return `event: changed\ndata: ${JSON.stringify({ topics, ...stops })}\n\n`
}
