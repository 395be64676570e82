import { Removal } from './disk/removal.ts'
import { OUTCOME_OF_ENDED } from './end-states.ts'
import { END_CODE } from './folds.ts'
import {
  EVENT_COST_BYTES,
  EXPORTED_BYTES,
  SESSION_COST_BYTES,
  type SessionPart,
  type SessionParts,
} from './rows.ts'
import { Search } from './search.ts'
import type { EventKind } from './session.ts'
import type { Connection, SqlStatement } from '../store/sqlite.ts'
import { SessionValues } from './values.ts'
import { LISTED_PARAMETER, REQUEST_BYTES, WHOLE_REQUEST, WholeRequests } from './whole-requests.ts'

export type Events = 'stream' | 'output' | 'terminal'

export const KINDS: Readonly<Record<Events, readonly EventKind[]>> = {
  stream: ['i', 'o', 'e'],
  output: ['o', 'e'],
  terminal: ['i', 'o', 'e', 'r'],
}

/** Longer lists of broken rules are left out of lists of sessions. */
const LISTED_RULES_BYTES = 4096
const LISTED = {
  request: 'request',
  guardrails: `CASE WHEN octet_length(guardrails_info) <= ${LISTED_RULES_BYTES} THEN guardrails_info
    WHEN guardrails_info IS NOT NULL THEN '[]' END`,
}
const EXPORTED = {
  ...LISTED,
  request: `coalesce((SELECT w.request FROM whole_requests w WHERE w.session = sessions.key
    AND octet_length(w.request) <= ${EXPORTED_BYTES}), request)`,
}
const WHOLE = { request: WHOLE_REQUEST, guardrails: 'guardrails_info' }
const columns = ({ request, guardrails }: typeof LISTED, joined: readonly string[]) =>
  [
    'key, id, status, started_at, began_at, ended_at, exit_code, truncated_bytes, redacted_bytes, output_bytes',
    ...[guardrails, 'data_masking', 'cause', request],
    ...joined,
  ].join(', ')
const OUTPUT_LENGTH = 'SELECT coalesce(sum(length(bytes)), 0) FROM events'
/** Events of one page. An event has at most 64 KiB, so a page has at most 2 MiB. */
const EVENTS_PER_READ = 32
/**
 * Events that a follower reads at once. The number is small, because these events stay in memory for each
 * slow follower.
 */
const EVENTS_PER_STEP = 4

export class SessionRows {
  readonly statements: ReturnType<typeof prepare>
  readonly search: Search
  readonly removal: Removal
  readonly values: SessionValues
  readonly whole: WholeRequests
  readonly parts: SessionParts

  constructor(db: Connection, parts: SessionParts) {
    const facts = Object.values<SessionPart<unknown>>(parts.facts)
    const joined = facts.map(({ column }) => column)
    this.parts = parts
    this.statements = prepare(db, {
      listed: columns(LISTED, joined),
      whole: columns(
        WHOLE,
        facts.map(({ column, whole = column }) => whole),
      ),
    })
    this.search = new Search(
      db,
      {
        page: columns(LISTED, joined),
        step: columns(
          EXPORTED,
          facts.map(({ column, exported = column }) => exported),
        ),
      },
      parts.filters,
    )
    this.removal = new Removal(db, parts.keeps)
    this.values = new SessionValues(db)
    this.whole = new WholeRequests(db)
  }

  /** Returns the runbook's title or path (null for scripts and terminals), and the connection. */
  called(id: string): readonly [runbook: string | null, connection: string] | undefined {
    return this.statements.called.get([id]) as [string | null, string] | undefined
  }
}

interface Columns {
  readonly listed: string
  readonly whole: string
}

function prepare(db: Connection, columns: Columns) {
  return { ...writing(db), ...ofSessions(db, columns), ...ofEvents(db), ...ofTime(db) }
}

function writing(db: Connection) {
  return {
    insert: db.prepare(`INSERT INTO sessions (key, id, status, started_at, request, user, connection,
                          connection_type, correlation_id, batch_id, recorded_bytes, kind, runbook, fold)
                        VALUES (?, ?, 'open', ?, ${LISTED_PARAMETER}, ?, ?, ?, ?, ?, ?, ?, ?, ?)`),
    setRequest: db.prepare(`UPDATE sessions SET request = ${LISTED_PARAMETER},
                              recorded_bytes = recorded_bytes - ${REQUEST_BYTES} + octet_length(?)
                            WHERE id = ?`),
    append: db.prepare(`INSERT INTO events (session, kind, seconds, bytes, stderr)
                        SELECT key, ?, ?, ?, ? FROM sessions WHERE id = ?`),
    setBeginning: db.prepare('UPDATE sessions SET began_at = ? WHERE id = ?'),
    finish:
      db.prepare(`UPDATE sessions SET status = 'done', began_at = coalesce(?, began_at), ended_at = ?, exit_code = ?, truncated_bytes = ?,
                          redacted_bytes = ?, guardrails_info = ?, data_masking = ?, cause = ?,
                          output_bytes = (${OUTPUT_LENGTH} WHERE session = sessions.key AND kind IN ('o', 'e')),
                          recorded_bytes = ${SESSION_COST_BYTES} + ${REQUEST_BYTES} + coalesce(
                            (SELECT sum(length(bytes) + ${EVENT_COST_BYTES}) FROM events WHERE session = sessions.key), 0)
                        WHERE id = ? AND status = 'open'`),
    setOutcome: db.prepare(
      `UPDATE sessions SET outcome = ${OUTCOME_OF_ENDED}, end_code = ${END_CODE} WHERE id = ?`,
    ),
  }
}

function ofSessions(db: Connection, { listed, whole }: Columns) {
  const reading = (sql: string): SqlStatement => db.prepare(sql).raw()
  return {
    row: reading(`SELECT ${listed} FROM sessions WHERE id = ?`),
    whole: reading(`SELECT ${whole} FROM sessions WHERE id = ?`),
    called: reading(`SELECT CASE kind WHEN 'runbook' THEN coalesce(
                       CASE WHEN json_valid(request) THEN request ->> '$.labels.runbookTitle' END, runbook) END,
                     connection FROM sessions WHERE id = ?`),
    open: reading(`SELECT ${listed} FROM sessions WHERE status = 'open' ORDER BY key`),
    recordedByUser: reading('SELECT user, sum(recorded_bytes) FROM sessions GROUP BY user'),
    recordedByConnection: reading('SELECT connection, sum(recorded_bytes) FROM sessions GROUP BY connection'),
    lastKey: reading(`SELECT max(coalesce((SELECT max(key) FROM sessions), 0),
                                 coalesce((SELECT max(session) FROM removals), 0))`),
  }
}

function ofEvents(db: Connection) {
  const reading = (sql: string): SqlStatement => db.prepare(sql).raw()
  const events = (kinds: readonly string[], count = EVENTS_PER_READ): SqlStatement =>
    reading(`SELECT key, seconds, kind, bytes, stderr FROM events
             WHERE session = ? AND key > ? AND kind IN (${kinds.map((kind) => `'${kind}'`).join()}) ORDER BY key LIMIT ${count}`)
  return {
    input: events(['s']),
    stream: events(KINDS.stream),
    output: events(KINDS.output),
    terminal: events(KINDS.terminal),
    step: events(KINDS.stream, EVENTS_PER_STEP),
    hasEvent: reading('SELECT count(*) FROM events WHERE session = ? AND key = ?'),
    lastEvent: reading('SELECT coalesce(max(key), 0) FROM events WHERE session = ?'),
    errorTail: reading(`SELECT bytes FROM (SELECT key, kind, stderr, bytes FROM events WHERE session = ?
                          ORDER BY key DESC LIMIT ${EVENTS_PER_READ})
                        WHERE kind = 'o' AND stderr = 1 ORDER BY key DESC LIMIT 1`),
    lastSecond: reading('SELECT coalesce(max(seconds), 0) FROM events WHERE session = ?'),
    // SQLite knows the length of a piece without reading its bytes.
    outputPlace: reading(`SELECT key, before FROM (
                            SELECT key, sum(length(bytes)) OVER (ORDER BY key) AS before FROM events
                            WHERE session = ? AND kind IN ('o', 'e'))
                          WHERE before <= ? ORDER BY key DESC LIMIT 1`),
    outputLength: reading(`${OUTPUT_LENGTH} WHERE session = ? AND kind IN ('o', 'e')`),
  }
}

/** Test events belong to this session. They show whether the disk has space. */
const PROBE_SESSION = -1
const PROBE_BYTES = 64 * 1024

function ofTime(db: Connection) {
  const reading = (sql: string): SqlStatement => db.prepare(sql).raw()
  return {
    clock: reading('SELECT trusted_at, proven_ms, latest_at FROM clock'),
    forgetClock: db.prepare('DELETE FROM clock'),
    insertProbe: db.prepare(`INSERT INTO events (session, kind, seconds, bytes)
                             VALUES (${PROBE_SESSION}, 's', 0, zeroblob(${PROBE_BYTES}))`),
    removeProbe: db.prepare(`DELETE FROM events WHERE session = ${PROBE_SESSION}`),
    setClock: db.prepare('INSERT INTO clock (trusted_at, proven_ms, latest_at) VALUES (?, ?, ?)'),
    setLatest: db.prepare('UPDATE clock SET latest_at = ?'),
  }
}
