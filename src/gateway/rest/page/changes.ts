import type { FastifyInstance } from 'fastify'
import { EventStreams, STREAM_KEEPALIVE, KEEPALIVE_MS } from '../http/event-streams.ts'
import type { RestServices } from '../services.ts'
import { ChangeFeed, type ChangeListener } from './change-feed.ts'

/** Tells the page which of its lists to ask for again: topics alone, the same for everybody, and nothing of what is in them. */
export function changesRoute(app: FastifyInstance, { history, agents }: RestServices): void {
  const feed = new ChangeFeed(history, agents)
  const streams = new EventStreams('changes')
  app.addHook('preClose', async () => streams.close())
  app.get('/api/changes', { exposeHeadRoute: false }, (request, reply) => {
    streams.checkRoom(request.user.name)
    return streams.send(request, reply, feed.listen(), changesText)
  })
}

async function* changesText(
  listener: ChangeListener,
  closing: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  yield ': connected\n\n'
  for (;;) {
    const topics = await listener.next(KEEPALIVE_MS, closing)
    if (topics.length > 0) yield `event: changed\ndata: ${JSON.stringify({ topics })}\n\n`
    else if (closing.aborted) return
    else yield STREAM_KEEPALIVE
  }
}
