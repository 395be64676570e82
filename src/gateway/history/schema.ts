/** The tables, version by version. A new file takes the same steps as an old one, so both end up the same. */
import { EVENT_COST_BYTES, SESSION_COST_BYTES } from './rows.ts'
import { HistoryError } from './session.ts'
import { type Connection, inTransaction } from './sqlite.ts'
/** `request` is JSON. An event of kind `s` is a piece of the session's input as the agent got it. */
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
 * Adds kind `r`, the size of a terminal, and columns for searches, copied from `request`. Sessions that ended under
 * version 1 have no `output_bytes`.
 * The constraint is changed in the schema's own text (sqlite.org/lang_altertable.html#otheralter says how, and when
 * that is safe). Copying the table would take as long as the file is large, and need as much disk again. libsql's own
 * ALTER COLUMN fails on a list.
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
 * `recorded_bytes`: what a session takes up, by rows.ts. `removals`: sessions whose row is gone and whose events go
 * piece by piece. `clock`: the time that is believed, and for how long a later one has been seen (clock.ts).
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

/** JSON, as the REST interface shows it. */
const VERSION_5 = `
  ALTER TABLE history.sessions ADD COLUMN guardrails_info TEXT;`

/** One index in which all filters by pattern can be looked at, in the order of the list. */
const VERSION_6 = `
  DROP INDEX history.sessions_by_start;
  CREATE INDEX history.sessions_by_start ON sessions (started_at, user, connection, connection_type);`

/**
 * Questions to people before something runs. `record` is JSON, `request` what will run, sealed, until it has run or never
 * will. The columns before them are copies from `record`. Foreign keys are off (sqlite.ts), so a trigger removes what
 * belongs to a session.
 */
const VERSION_7 = `
  CREATE TABLE history.reviews (
    session INTEGER PRIMARY KEY REFERENCES sessions (key) ON DELETE CASCADE,
    id TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    connection TEXT NOT NULL,
    type TEXT NOT NULL,
    status TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    record TEXT NOT NULL,
    request BLOB
  );
  CREATE INDEX history.reviews_by_status ON reviews (status, expires_at);
  CREATE INDEX history.reviews_by_owner ON reviews (owner, status);
  CREATE TABLE history.review_groups (
    name TEXT NOT NULL,
    session INTEGER NOT NULL REFERENCES sessions (key) ON DELETE CASCADE,
    PRIMARY KEY (name, session)
  ) WITHOUT ROWID;
  CREATE INDEX history.review_groups_by_session ON review_groups (session);
  CREATE TRIGGER history.reviews_of_removed_sessions AFTER DELETE ON sessions BEGIN
    DELETE FROM reviews WHERE session = old.key;
    DELETE FROM review_groups WHERE session = old.key;
  END;`

/**
 * Issues of Jira, from the moment at which Jira is asked for one, so before there is a session (jira/issue-rows.ts). A
 * session that is removed leaves what is needed to move its issue. `ended_at` and `exit_code` are set then.
 */
const VERSION_8 = `
  CREATE TABLE history.jira_issues (
    session TEXT PRIMARY KEY,
    asked_at INTEGER NOT NULL,
    gateway TEXT NOT NULL,
    request TEXT NOT NULL,
    site TEXT NOT NULL,
    project TEXT NOT NULL,
    target TEXT NOT NULL,
    moves_failed INTEGER NOT NULL,
    key TEXT COLLATE NOCASE,
    url TEXT,
    has_run INTEGER NOT NULL DEFAULT 0,
    outcome TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    due_at INTEGER NOT NULL DEFAULT 0,
    error TEXT,
    ended_at INTEGER,
    exit_code INTEGER
  );
  CREATE INDEX history.jira_issues_by_key ON jira_issues (key) WHERE key IS NOT NULL;
  CREATE INDEX history.jira_issues_open ON jira_issues (due_at) WHERE outcome IS NULL;
  CREATE TRIGGER history.jira_issues_of_removed_sessions AFTER DELETE ON sessions BEGIN
    DELETE FROM jira_issues WHERE session = old.id AND (outcome IS NOT NULL OR key IS NULL);
    UPDATE jira_issues SET ended_at = coalesce(old.ended_at, 0), exit_code = old.exit_code WHERE session = old.id;
  END;`

/** JSON, as the REST interface shows it; null where nothing was masked. */
const VERSION_9 = `
  ALTER TABLE history.sessions ADD COLUMN data_masking TEXT;`

const STEPS = [
  VERSION_1,
  VERSION_2,
  VERSION_3,
  VERSION_4,
  VERSION_5,
  VERSION_6,
  VERSION_7,
  VERSION_8,
  VERSION_9,
]

/** Creates the tables, or brings those of an older version up to date: all or nothing. @throws HistoryError */
export function updateSchema(db: Connection): void {
  const [version] = db.prepare('PRAGMA history.user_version').raw().get([]) as [number]
  if (version === STEPS.length) return
  if (version > STEPS.length || version < 0) {
    const versions = `schema ${version}, this one knows ${STEPS.length}`
    throw new HistoryError(`it was written by a newer version of this program (${versions})`)
  }
  if (version === 0 && db.prepare('SELECT 1 FROM history.sqlite_master').raw().get([]) !== undefined) {
    throw new HistoryError('it belongs to another program; name another state folder')
  }
  inTransaction(db, () => {
    for (const step of STEPS.slice(version)) db.exec(step)
    db.exec(`PRAGMA history.user_version = ${STEPS.length}`)
  })
}
