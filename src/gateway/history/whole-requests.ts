import { tableOfLongValues } from '../store/long-values.ts'
import type { Connection, SqlStatement } from '../store/sqlite.ts'

/**
 * Longer requests are stored twice: short with their session, and whole in a table of its own. Lists, events
 * and webhooks read only the short form: a whole request may have megabytes.
 */
const LISTED_REQUEST_BYTES = 8 * 1024
/** Maximum length of a text, such as the label with a runbook's file, in a short request. */
const LABEL_BYTES = 1024

/**
 * Returns SQL of the form in which a request is listed. A short form keeps the labels of the gateway, which
 * begin with `runbook`, and has `isShort`. Long texts are left out and not cut: a text of callers may have half
 * a surrogate pair, which only its JSON can express. `$.none` is a path that no request has.
 */
const listed = (
  request: string,
) => `CASE WHEN octet_length(${request}) <= ${LISTED_REQUEST_BYTES} THEN ${request}
  ELSE json_remove(json_set(${request}, '$.isShort', json('true'), '$.metadata', json('{}'), '$.labels', (
      SELECT json_group_object(key, value) FROM json_each(${request}, '$.labels')
      WHERE key GLOB 'runbook*' AND octet_length(value) <= ${LABEL_BYTES})),
    CASE WHEN octet_length(${request} -> '$.sessionBatchId') > ${LABEL_BYTES} THEN '$.sessionBatchId' ELSE '$.none' END) END`

/** SQL of a session's request as it was written. */
export const WHOLE_REQUEST =
  'coalesce((SELECT w.request FROM whole_requests w WHERE w.session = sessions.key), sessions.request)'
/** SQL of the size of the whole request, which SQLite knows without reading the request. */
export const REQUEST_BYTES = `coalesce(
  (SELECT octet_length(w.request) FROM whole_requests w WHERE w.session = sessions.key), octet_length(sessions.request))`

/** SQL that is true if a repair of the history has lost the whole request of the session `s`. */
export const HAS_LOST_REQUEST = `s.request ->> '$.isShort'
  AND NOT EXISTS (SELECT 1 FROM whole_requests w WHERE w.session = s.key)`

export const VERSION_28 = tableOfLongValues({
  ...{ table: 'sessions', key: 'key', column: 'request', to: 'whole_requests' },
  ...{ bytes: LISTED_REQUEST_BYTES, rest: listed('request') },
})

/** SQL of the listed form of a request that is a parameter. */
export const LISTED_PARAMETER = `(SELECT ${listed('written')} FROM (SELECT ? AS written))`

/** The requests that are longer than their listed form. For use in a transaction. */
export class WholeRequests {
  readonly #forget: SqlStatement
  readonly #keep: SqlStatement

  constructor(db: Connection) {
    this.#forget = db.prepare(
      'DELETE FROM whole_requests WHERE session = (SELECT key FROM sessions WHERE id = ?)',
    )
    this.#keep = db.prepare('INSERT INTO whole_requests SELECT key, ? FROM sessions WHERE id = ?')
  }

  insert(id: string, request: string): void {
    if (Buffer.byteLength(request) > LISTED_REQUEST_BYTES) this.#keep.run([request, id])
  }

  replace(id: string, request: string): void {
    this.#forget.run([id])
    this.insert(id, request)
  }
}
