import type { Room } from '../store/room.ts'
import { type Connection, inTransaction } from '../store/sqlite.ts'
import { OUTCOME_OF_ENDED } from './end-states.ts'
import { VERSION_32 } from './folds.ts'
import { EVENT_COST_BYTES, SESSION_COST_BYTES, type SessionParts } from './rows.ts'
import { BEGAN_LATER } from './search.ts'
import { SessionRows } from './statements.ts'
import { VERSION_27, VERSION_34 } from './values.ts'
import { VERSION_28 } from './whole-requests.ts'

/** `request` is JSON. An event of kind `s` is a piece of the input as the agent received it. */
const VERSION_1 = `
  CREATE TABLE history.sessions (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL CHECK (status IN ('open', 'done')),
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    exit_code INTEGER,
    truncated_bytes INTEGER NOT NULL DEFAULT 0,
    request TEXT NOT NULL
  );
  CREATE INDEX history.sessions_by_end ON sessions (ended_at);
  CREATE TABLE history.events (
    key INTEGER PRIMARY KEY,
    session INTEGER NOT NULL REFERENCES sessions (key) ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('s', 'i', 'o', 'e')),
    seconds REAL NOT NULL,
    bytes BLOB NOT NULL
  );
  CREATE INDEX history.events_by_session ON events (session);`

/**
 * Adds the event kind `r` (a new size of the terminal). Adds columns for searches, which are copies from
 * `request`. Sessions that ended under version 1 have no `output_bytes`. Changes the constraint in the text
 * of the schema (sqlite.org/lang_altertable.html#otheralter says how, and when this is safe). A copy of the
 * table would take long, and would need as much disk space as the table. libsql's ALTER COLUMN fails on a
 * list of values.
 */
const VERSION_2 = `
  PRAGMA writable_schema = ON;
  UPDATE history.sqlite_master SET sql = replace(sql, '''o'', ''e'')', '''o'', ''e'', ''r'')')
    WHERE type = 'table' AND name = 'events';
  PRAGMA writable_schema = RESET;
  ALTER TABLE history.sessions ADD COLUMN user TEXT NOT NULL DEFAULT '';
  ALTER TABLE history.sessions ADD COLUMN connection TEXT NOT NULL DEFAULT '';
  ALTER TABLE history.sessions ADD COLUMN connection_type TEXT NOT NULL DEFAULT '';
  ALTER TABLE history.sessions ADD COLUMN correlation_id TEXT;
  ALTER TABLE history.sessions ADD COLUMN batch_id TEXT;
  ALTER TABLE history.sessions ADD COLUMN output_bytes INTEGER;
  UPDATE history.sessions SET
    user = coalesce(json_extract(request, '$.user'), ''),
    connection = coalesce(json_extract(request, '$.connection'), ''),
    connection_type = coalesce(json_extract(request, '$.connectionType'), ''),
    correlation_id = json_extract(request, '$.correlationId'),
    batch_id = json_extract(request, '$.sessionBatchId');
  CREATE INDEX history.sessions_by_start ON sessions (started_at);
  CREATE INDEX history.sessions_by_user ON sessions (user, started_at);
  CREATE INDEX history.sessions_by_connection ON sessions (connection, started_at);
  CREATE INDEX history.sessions_by_correlation ON sessions (correlation_id) WHERE correlation_id IS NOT NULL;
  CREATE INDEX history.sessions_by_batch ON sessions (batch_id) WHERE batch_id IS NOT NULL;`

const VERSION_3 = `
  ALTER TABLE history.sessions ADD COLUMN redacted_bytes INTEGER NOT NULL DEFAULT 0;`

/**
 * `recorded_bytes` counts bytes as rows.ts does. `removals` has sessions whose row is removed, while their
 * events are removed in steps. `clock` has the time that the gateway believes, and how long the gateway has
 * seen a later time (clock.ts).
 */
const VERSION_4 = `
  ALTER TABLE history.sessions ADD COLUMN recorded_bytes INTEGER NOT NULL DEFAULT 0;
  UPDATE history.sessions SET recorded_bytes = ${SESSION_COST_BYTES} + octet_length(request) + coalesce(
    (SELECT sum(length(bytes) + ${EVENT_COST_BYTES}) FROM history.events WHERE session = sessions.key), 0);
  CREATE INDEX history.sessions_by_size ON sessions (user, recorded_bytes);
  CREATE TABLE history.removals (session INTEGER PRIMARY KEY);
  CREATE TABLE history.clock (trusted_at INTEGER NOT NULL, proven_ms INTEGER NOT NULL);
  INSERT INTO history.clock
    SELECT max(max(started_at), coalesce(max(ended_at), 0)), 0 FROM history.sessions HAVING count(*) > 0;`

/** The column has JSON of the same form as the answers of REST. */
const VERSION_5 = `
  ALTER TABLE history.sessions ADD COLUMN guardrails_info TEXT;`

/** One index for all filters by pattern, in the order of the list of sessions. */
const VERSION_6 = `
  DROP INDEX history.sessions_by_start;
  CREATE INDEX history.sessions_by_start ON sessions (started_at, user, connection, connection_type);`

/**
 * `stderr` is 1 for output to stderr. It is 0 for events of older versions, because their stream is unknown.
 */
const VERSION_19 = `
  ALTER TABLE history.events ADD COLUMN stderr INTEGER NOT NULL DEFAULT 0;`

/** The column has JSON of the same form as the answers of REST. It is null if nothing was masked. */
const VERSION_9 = `
  ALTER TABLE history.sessions ADD COLUMN data_masking TEXT;`

/** The latest time seen, in ms. Tokens expire by this time (clock.ts). */
const VERSION_21 = `
  ALTER TABLE history.clock ADD COLUMN latest_at INTEGER NOT NULL DEFAULT 0;
  UPDATE history.clock SET latest_at = trusted_at;`

/** By this index, SQLite finds the oldest sessions of a connection and sums their sizes. */
const VERSION_10 = `
  DROP INDEX history.sessions_by_end;
  CREATE INDEX history.sessions_by_end ON sessions (connection, ended_at, recorded_bytes);`

const KIND_OF_REQUEST = `CASE WHEN json_extract(request, '$.origin') = 'client-api-runbooks' THEN 'runbook'
  WHEN json_extract(request, '$.verb') = 'connect' THEN 'terminal' ELSE 'script' END`

/**
 * Adds searches by runbook, kind and outcome. An open session has the outcome `open`. Its review shows
 * whether the session waits, is approved or runs. The indexes contain the columns of all filters, so a search
 * reads only the rows of one page. The end of a session changes only the index by outcome.
 */
const VERSION_22 = `
  ALTER TABLE history.sessions ADD COLUMN runbook TEXT;
  ALTER TABLE history.sessions ADD COLUMN kind TEXT NOT NULL DEFAULT 'script';
  ALTER TABLE history.sessions ADD COLUMN outcome TEXT NOT NULL DEFAULT 'open';
  UPDATE history.sessions SET kind = ${KIND_OF_REQUEST}, runbook = json_extract(request, '$.labels.runbookFile'),
    outcome = CASE status WHEN 'open' THEN 'open' ELSE ${OUTCOME_OF_ENDED} END
    WHERE json_valid(request);
  DROP INDEX history.sessions_by_start;
  CREATE INDEX history.sessions_by_start
    ON sessions (started_at, user, connection, connection_type, kind, runbook);
  CREATE INDEX history.sessions_by_outcome
    ON sessions (outcome, started_at, user, connection, connection_type, kind, runbook);
  CREATE INDEX history.sessions_by_runbook ON sessions (runbook, started_at) WHERE runbook IS NOT NULL;`

/**
 * `began_at` is the time at which the command began, after all waits: for an approval, a lock and the agent. It
 * is null for sessions that never began, and for those of older versions, whose wait for a lock or the agent is
 * unknown. Counts by day read only columns of the first index; the second finds the sessions that were
 * requested earlier.
 */
const VERSION_23 = `
  ALTER TABLE history.sessions ADD COLUMN began_at INTEGER;
  DROP INDEX history.sessions_by_outcome;
  CREATE INDEX history.sessions_by_outcome
    ON sessions (outcome, started_at, user, connection, connection_type, kind, runbook, began_at);
  CREATE INDEX history.sessions_begun_later ON sessions (began_at) WHERE ${BEGAN_LATER};`

declare module '../store/room.ts' {
  interface Tables {
    readonly sessions: SessionRows
  }
}

/**
 * SQL condition that finds events without a session. Events of removed sessions are not meant, because they
 * are removed in steps (disk/removal.ts).
 */
export function ofLostSession(has: (table: string) => boolean): string {
  const removed = has('removals') ? ' AND session NOT IN (SELECT session FROM history.removals)' : ''
  return `session NOT IN (SELECT key FROM history.sessions)${removed}`
}

export function sessionRoom(parts: SessionParts): Room<SessionRows> {
  return {
    rows: (db) => new SessionRows(db, parts),
    steps: {
      1: VERSION_1,
      2: VERSION_2,
      3: VERSION_3,
      4: VERSION_4,
      5: VERSION_5,
      6: VERSION_6,
      9: VERSION_9,
      10: VERSION_10,
      19: VERSION_19,
      21: VERSION_21,
      22: VERSION_22,
      23: VERSION_23,
      27: VERSION_27,
      28: VERSION_28,
      32: VERSION_32,
      34: VERSION_34,
    },
    // The number of recorded bytes is not watched, because a new number alone changes nothing that a list
    // shows.
    watched: { sessions: ['status', 'request', 'exit_code', 'began_at'] },
    json: { sessions: ['request', 'guardrails_info', 'data_masking', 'cause'], whole_requests: ['request'] },
    orphans: { events: ofLostSession, session_values: ofLostSession, whole_requests: ofLostSession },
  }
}

/**
 * Marks ended sessions that have lost output: adds the lost bytes to `truncated_bytes`.
 * @returns the ids of these sessions
 */
export function markIncomplete(db: Connection, version: number): string[] {
  if (version < 2) return []
  const there = `coalesce((SELECT sum(length(bytes)) FROM history.events WHERE session = sessions.key AND kind IN ('o', 'e')), 0)`
  const incomplete = `output_bytes IS NOT NULL AND output_bytes > ${there}`
  const found = db.prepare(`SELECT id FROM history.sessions WHERE ${incomplete}`).raw().all([]) as [string][]
  inTransaction(db, () =>
    db.exec(`UPDATE history.sessions SET truncated_bytes = truncated_bytes + output_bytes - ${there},
             output_bytes = ${there} WHERE ${incomplete}`),
  )
  return found.map(([id]) => id)
}
