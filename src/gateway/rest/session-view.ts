import type { History } from '../history/history.ts'
import type { SessionRecord, SessionSummary } from '../history/session.ts'
import { HttpError } from './http-error.ts'

/** Largest event stream in one answer; all of it is in `/result/stream`. */
const MAX_STREAM_BYTES = 110 * 1024 * 1024

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
export function wholeSession(
  history: History,
  session: SessionRecord,
  query: Readonly<Record<string, unknown>>,
): object {
  const expand = typeof query['expand'] === 'string' ? query['expand'].split(',') : []
  const withScript = expand.length === 0 || expand.includes('session_input')
  return {
    ...listedSession(session),
    script: { data: withScript ? session.script.toString('utf8') : '' },
    ...(expand.includes('event_stream') && {
      event_stream: eventStream(history, session.id, {
        form: query['event_stream'],
        sizes: expand.includes('resize'),
      }),
    }),
  }
}

interface StreamOptions {
  readonly form: unknown
  /** Whether changes of the terminal's size are among the events: hoop's readers do not know them. */
  readonly sizes: boolean
}

/**
 * `raw-queries` are those of a database's own protocol: no session here has any, and then hoop answers with the events.
 * @throws HttpError 422 for a form that there is not
 */
function eventStream(history: History, id: string, { form, sizes }: StreamOptions): unknown[] {
  switch (form) {
    case 'utf8':
    case 'base64':
      return [history.output(id, MAX_STREAM_BYTES).bytes.toString(form)]
    case undefined:
    case '':
    case 'raw-queries':
      return [...history.events(id, sizes ? 'terminal' : 'stream')].map(({ seconds, kind, bytes }) => [
        seconds,
        kind,
        bytes.toString('base64'),
      ])
    default:
      throw new HttpError(422, 'event_stream attribute has an unknown type format')
  }
}
