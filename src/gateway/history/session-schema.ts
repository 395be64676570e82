/** Sessions, their events, and what is known about the time. */
import { EVENT_COST_BYTES, SESSION_COST_BYTES } from './rows.ts'

/** `request` is JSON. An event of kind `s` is a piece of the session's input as the agent got it. */
export const VERSION_1 = `
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
 * Adds kind `r`, the size of a terminal, and columns for searches, copied from `request`. Sessions that ended under
 * version 1 have no `output_bytes`.
 * The constraint is changed in the schema's own text (sqlite.org/lang_altertable.html#otheralter says how, and when
 * that is safe). Copying the table would take as long as the file is large, and need as much disk again. libsql's own
 * ALTER COLUMN fails on a list.
 */
export const VERSION_2 = `
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

export const VERSION_3 = `
  ALTER TABLE history.sessions ADD COLUMN redacted_bytes INTEGER NOT NULL DEFAULT 0;`

/**
 * `recorded_bytes`: what a session takes up, by rows.ts. `removals`: sessions whose row is gone and whose events go
 * piece by piece. `clock`: the time that is believed, and for how long a later one has been seen (clock.ts).
 */
export const VERSION_4 = `
  ALTER TABLE history.sessions ADD COLUMN recorded_bytes INTEGER NOT NULL DEFAULT 0;
  UPDATE history.sessions SET recorded_bytes = ${SESSION_COST_BYTES} + octet_length(request) + coalesce(
    (SELECT sum(length(bytes) + ${EVENT_COST_BYTES}) FROM history.events WHERE session = sessions.key), 0);
  CREATE INDEX history.sessions_by_size ON sessions (user, recorded_bytes);
  CREATE TABLE history.removals (session INTEGER PRIMARY KEY);
  CREATE TABLE history.clock (trusted_at INTEGER NOT NULL, proven_ms INTEGER NOT NULL);
  INSERT INTO history.clock
    SELECT max(max(started_at), coalesce(max(ended_at), 0)), 0 FROM history.sessions HAVING count(*) > 0;`

/** JSON, as the REST interface shows it. */
export const VERSION_5 = `
  ALTER TABLE history.sessions ADD COLUMN guardrails_info TEXT;`

/** One index in which all filters by pattern can be looked at, in the order of the list. */
export const VERSION_6 = `
  DROP INDEX history.sessions_by_start;
  CREATE INDEX history.sessions_by_start ON sessions (started_at, user, connection, connection_type);`

/** Of output: whether the command has written it to stderr. Older events do not know it. */
export const VERSION_19 = `
  ALTER TABLE history.events ADD COLUMN stderr INTEGER NOT NULL DEFAULT 0;`

/** JSON, as the REST interface shows it; null where nothing was masked. */
export const VERSION_9 = `
  ALTER TABLE history.sessions ADD COLUMN data_masking TEXT;`

/** The latest time that was seen, in ms, by which tokens expire (clock.ts). */
export const VERSION_21 = `
  ALTER TABLE history.clock ADD COLUMN latest_at INTEGER NOT NULL DEFAULT 0;
  UPDATE history.clock SET latest_at = trusted_at;`

/** Finds the oldest sessions of each connection, and counts what those of a connection take up. */
export const VERSION_10 = `
  DROP INDEX history.sessions_by_end;
  CREATE INDEX history.sessions_by_end ON sessions (connection, ended_at, recorded_bytes);`
