import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import type { History } from '../../history/history.ts'
import type { SessionSummary } from '../../history/session.ts'
import { eventStream, jsonText } from './event-stream.ts'

/** A session as hoop's list shows it. */
export function listedSession(session: SessionSummary): object {
  return { ...summary(session), script: null }
}

function summary(session: SessionSummary): object {
  return {
    id: session.id,
    // Users have only names here, so the name fills hoop's other fields as well.
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
    redacted_bytes: session.redactedBytes,
    guardrails_info: session.guardrails === undefined ? null : (JSON.parse(session.guardrails) as unknown),
  }
}

/**
 * Answers as hoop does (protocol.md 10.4): with the script, unless something else was asked to be expanded. Script and
 * events are read from the history as fast as the caller takes them.
 */
export function sendSession(
  reply: FastifyReply,
  history: History,
  session: SessionSummary,
  query: Readonly<Record<string, unknown>>,
): FastifyReply {
  const expand = typeof query['expand'] === 'string' ? query['expand'].split(',') : []
  const withScript = expand.length === 0 || expand.includes('session_input')
  const script = jsonText('utf8', withScript ? history.script(session.id) : [])
  const options = { form: query['event_stream'], sizes: expand.includes('resize') }
  const events = expand.includes('event_stream') ? eventStream(history, session.id, options) : undefined
  reply.type('application/json; charset=utf-8')
  return reply.send(Readable.from(view(session, script, events), { objectMode: false }))
}

function* view(
  session: SessionSummary,
  script: Iterable<string>,
  events: Iterable<string> | undefined,
): Generator<string, void> {
  yield `${JSON.stringify(summary(session)).slice(0, -1)},"script":{"data":`
  yield* script
  yield '}'
  if (events !== undefined) {
    yield ',"event_stream":['
    yield* events
    yield ']'
  }
  yield '}'
}
