import { setImmediate } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import type { PlacedSession } from '../../history/session.ts'
import { EventStreams } from '../http/event-streams.ts'
import type { Query } from '../http/query.ts'
import type { RestServices } from '../services.ts'
import { readListOptions, readPlace } from './list-options.ts'
import { listedSession } from './session-view.ts'

/** Each has some sessions in memory for a reader that is slow, 3 MiB at most. */
const LIMITS = { streams: 16, ofOneUser: 4, pieceMs: 60_000, closingMs: 1000 }

/** The sessions of the list as lines of JSON, each with the place behind which an export goes on. */
export function exportRoute(app: FastifyInstance, services: RestServices, limits = LIMITS): void {
  const { users, history } = services
  const streams = new EventStreams('exports', limits, 'application/x-ndjson')
  app.addHook('preClose', async () => streams.close())
  app.get<{ Querystring: Query }>(
    '/api/sessions/export',
    // fastify would answer HEAD by reading it to its end.
    { exposeHeadRoute: false },
    (request, reply) => {
      const { user, query } = request
      streams.checkRoom(user.name)
      const options = readListOptions(query, (name) => users.named(name)?.groups ?? [])
      const viewer = users.seesAll(user) ? undefined : user
      const found = history.walk({ ...options, viewer }, readPlace(query))
      const source = { [Symbol.dispose]: () => void found.return() }
      return streams.send(request, reply, source, (_, closing) => lines(services, found, closing))
    },
  )
}

/** Throws when the gateway stops: an export that is cut off must not look like a whole one. */
async function* lines(
  services: RestServices,
  found: Iterable<readonly PlacedSession[]>,
  closing: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  for (const sessions of found) {
    if (closing.aborted) throw new Error('the export was cut off')
    const text = sessions.map((placed) => lineOf(services, placed)).join('')
    if (text !== '') yield text
    await setImmediate()
  }
}

function lineOf(services: RestServices, { place, session }: PlacedSession): string {
  return `${JSON.stringify({ ...listedSession(services, session), cursor: String(place) })}\n`
}
