import { setImmediate } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import type { ListedSession } from '../../../contract/session-shape.ts'
import type { PlacedSession, SessionQuery } from '../../history/session.ts'
import { csvLine } from '../csv.ts'
import { EventStreams } from '../event-streams.ts'
import type { Query } from '../mount.ts'
import type { RestServices } from '../services.ts'
import { groupsSeenBy, invalid, readListOptions, readNumber, readWord } from './list-options.ts'
import { listedSession } from './session-view.ts'

/** Columns of a CSV file. Times are exact, in UTC. */
const COLUMNS: readonly (readonly [string, (session: ListedSession) => string])[] = [
  ['session', ({ id }) => id],
  ['runbook', ({ labels }) => labels?.['runbookFile'] ?? ''],
  ['title', ({ runbook_title: title = '' }) => title],
  ['values', ({ labels }) => labels?.['runbookParameters'] ?? ''],
  ['kind', ({ verb, labels }) => (labels?.['runbookFile'] === undefined ? verb : 'runbook')],
  ['state', ({ state }) => state.text],
  ['exit code', ({ exit_code: code }) => String(code ?? '')],
  ['connection', ({ connection }) => connection],
  ['user', ({ user }) => user],
  ['asked', ({ start_date: asked }) => asked],
  ['began', ({ began_at: began }) => began ?? ''],
  ['ended', ({ end_date: end }) => end ?? ''],
  ['seconds', ({ began_at: began = null, end_date: end }) => secondsOf(began, end)],
  ['batch', ({ session_batch_id: batch = '' }) => batch],
  ['schedule', ({ labels }) => labels?.['runbookSchedule'] ?? ''],
]

function secondsOf(began: string | null, end: string | null): string {
  return began === null || end === null ? '' : String((Date.parse(end) - Date.parse(began)) / 1000)
}

/** Each stream keeps some sessions in memory for a slow reader, at most 3 MiB. */
const LIMITS = { streams: 16, ofOneUser: 4, reserved: 0, pieceMs: 60_000, closingMs: 1000 }

/** Sends lines of JSON, each with the place after which an export continues. */
export function exportRoute(app: FastifyInstance, services: RestServices, limits = LIMITS): void {
  const { users, history } = services
  const streams = new EventStreams('exports', limits, 'application/x-ndjson')
  app.addHook('preClose', async () => streams.close())
  app.get<{ Querystring: Query }>(
    '/api/sessions/export',
    // There is no HEAD, because fastify would read the whole export for it.
    { exposeHeadRoute: false },
    (request, reply) => {
      const { user, query } = request
      streams.checkRoom(user.name)
      const options = { ...readListOptions(query, groupsSeenBy(users, user)), viewer: users.viewer(user) }
      const place = readPlace(query, options.sort !== undefined)
      const format = readWord(query, 'format', ['jsonl', 'csv']) ?? 'jsonl'
      const { type, head, line } = FORMATS[format]
      const found = options.sort === undefined ? history.walk(options, place) : listed(history, options)
      const day = new Date().toISOString().slice(0, 10)
      void reply.header('content-disposition', `attachment; filename=sessions-${day}.${format}`)
      const source = { [Symbol.dispose]: () => void found.return() }
      const text = (placed: ExportedSession) => line(listedSession(services, placed.session), placed.place)
      const read = (_: Disposable, closing: AbortSignal) => lines(head, found, text, closing)
      return streams.send(request, reply, source, read, type)
    },
  )
}

/** `place` is missing in the order of the list. */
type ExportedSession = Pick<PlacedSession, 'session'> & Partial<PlacedSession>

function* listed(
  history: RestServices['history'],
  query: SessionQuery,
): Generator<readonly ExportedSession[], void> {
  for (const sessions of history.listed(query)) yield sessions.map((session) => ({ session }))
}

interface Format {
  readonly type: string
  readonly head: string
  readonly line: (session: ListedSession, place: number | undefined) => string
}

const FORMATS: Readonly<Record<'jsonl' | 'csv', Format>> = {
  jsonl: {
    type: 'application/x-ndjson',
    head: '',
    line: (session, place) =>
      `${JSON.stringify({ ...session, ...(place !== undefined && { cursor: String(place) }) })}\n`,
  },
  csv: {
    type: 'text/csv; charset=utf-8',
    head: csvLine(COLUMNS.map(([name]) => name)),
    line: (session) => csvLine(COLUMNS.map(([, of]) => of(session))),
  },
}

/**
 * Yields the lines. Throws when the gateway stops, because an export that is cut off must not look complete.
 */
async function* lines(
  head: string,
  found: Iterable<readonly ExportedSession[]>,
  line: (session: ExportedSession) => string,
  closing: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  if (head !== '') yield head
  for (const sessions of found) {
    if (closing.aborted) throw new Error('the export was cut off')
    const text = sessions.map(line).join('')
    if (text !== '') yield text
    await setImmediate()
  }
}

/** Place after which an export continues. @throws RequestRefused 422 */
function readPlace(query: Query, isSorted: boolean): number {
  const place = readNumber(query, 'after') ?? 0
  if (place < 0) throw invalid('after', `must not be negative, got ${place}`)
  if (isSorted && place > 0) throw invalid('after', 'an export with sort or order cannot be continued')
  return place
}
