import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import type { History } from '../history/history.ts'
import type { SessionRecord, SessionSummary } from '../history/session.ts'
import { eventStream } from './event-stream.ts'

/** A session as hoop's list shows it: without its script. */
export function listedSession(session: SessionSummary): object {
  return {
    id: session.id,
    // There are names only: they stand in hoop's other fields as well.
    user: session.user,
    user_id: session.user,
    user_name: session.user,
    connection: session.connection,
    type: session.connectionType,
    connection_subtype: session.connectionSubtype ?? null,
    verb: session.verb,
    origin: session.origin,
    labels: session.labels,
    metadata: session.metadata,
    session_batch_id: session.sessionBatchId ?? null,
    correlation_id: session.correlationId ?? null,
    status: session.status,
    exit_code: session.exitCode ?? null,
    start_date: session.startedAt.toISOString(),
    end_date: session.endedAt?.toISOString() ?? null,
    event_size: session.outputBytes,
    truncated_bytes: session.truncatedBytes,
    script: null,
  }
}

/** As hoop answers (protocol.md 10.4): the script is there unless something else was asked to be expanded. */
export function sendSession(
  reply: FastifyReply,
  history: History,
  session: SessionRecord,
  query: Readonly<Record<string, unknown>>,
): FastifyReply {
  const expand = typeof query['expand'] === 'string' ? query['expand'].split(',') : []
  const withScript = expand.length === 0 || expand.includes('session_input')
  const view = {
    ...listedSession(session),
    script: { data: withScript ? session.script.toString('utf8') : '' },
  }
  if (!expand.includes('event_stream')) return reply.send(view)
  const form = query['event_stream']
  const events = eventStream(history, session.id, { form, sizes: expand.includes('resize') })
  reply.type('application/json; charset=utf-8')
  return reply.send(Readable.from(withEvents(view, events), { objectMode: false }))
}

function* withEvents(view: object, events: Iterable<string>): Generator<string> {
  yield `${JSON.stringify(view).slice(0, -1)},"event_stream":[`
  yield* events
  yield ']}'
}
