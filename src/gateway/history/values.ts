import type { NewRow } from './rows.ts'
import type { Connection, SqlStatement } from '../store/sqlite.ts'

/**
 * Maximum number of characters of a session's values that are searched. The values of 20,000 sessions are
 * then at most some 20 MB, which a search reads at once.
 */
const SEARCHED_CHARACTERS = 1024

/**
 * SQL that inserts the recorded values of a runbook's parameters in lower case, the shortest values first, so
 * that names and numbers are found beside a long text. A separator keeps a search from matching the end of
 * one value and the beginning of the next one.
 * @param sources SQL of rows with `session` and the JSON text `parameters`
 */
const insertValues = (sources: string) => `
  INSERT INTO history.session_values (session, text, is_cut)
  SELECT session, substr(text, 1, ${SEARCHED_CHARACTERS}), length(text) > ${SEARCHED_CHARACTERS} FROM (
    SELECT session, (
      SELECT lower(group_concat(value, char(31))) FROM (
        SELECT value FROM json_each(CASE WHEN json_valid(parameters) THEN parameters ELSE '{}' END)
        ORDER BY length(value))
    ) AS text FROM (${sources})
  ) WHERE text IS NOT NULL`

/**
 * A search reads this table instead of the requests, which may have megabytes. A trigger removes the values
 * of a removed session, because foreign keys are off (sqlite.ts).
 */
export const VERSION_27 = `
  CREATE TABLE history.session_values (
    session INTEGER PRIMARY KEY REFERENCES sessions (key) ON DELETE CASCADE,
    text TEXT NOT NULL,
    is_cut INTEGER NOT NULL
  );
  CREATE TRIGGER history.values_of_removed_sessions AFTER DELETE ON sessions BEGIN
    DELETE FROM session_values WHERE session = old.key;
  END;
  ${insertValues(`SELECT key AS session, json_extract(request, '$.labels.runbookParameters') AS parameters
    FROM history.sessions WHERE runbook IS NOT NULL AND json_valid(request)`)};`

/**
 * A search also reads the reasons, of sessions of all kinds. A reason has at most 1,000 characters (contract/reason.ts).
 */
export const VERSION_34 = `
  ALTER TABLE history.session_values ADD COLUMN reason TEXT;
  INSERT INTO history.session_values (session, text, is_cut, reason)
    SELECT key, '', 0, lower(request ->> '$.reason') FROM history.sessions
    WHERE json_valid(request) AND request ->> '$.reason' IS NOT NULL
    ON CONFLICT (session) DO UPDATE SET reason = excluded.reason;`

/** SQL condition of a session whose values contain a text in lower case. */
export const HAS_VALUE =
  'EXISTS (SELECT 1 FROM session_values WHERE session = sessions.key AND instr(text, ?) > 0)'
/** SQL condition of a session that has such a text in its user, its runbook, its values or its reason. */
export const HAS_WORD = `instr(lower(sessions.user || char(31) || coalesce(sessions.runbook, '')) || char(31) ||
  coalesce((SELECT coalesce(title, '') || char(31) || coalesce(reason, '') || char(31) || text
    FROM session_values WHERE session = sessions.key), ''), ?) > 0`
/** SQL of the text by which a session is sorted: the runbook's title or path. Null for sessions without one. */
export const NAME_OF_RUNBOOK =
  'coalesce((SELECT title FROM session_values WHERE session = sessions.key), lower(sessions.runbook))'
const MAX_TITLE_CHARACTERS = 200

/** Inserts the searchable values, titles and reasons of new sessions. */
export class SessionValues {
  readonly #insert: SqlStatement
  readonly #insertTitle: SqlStatement
  readonly #insertReason: SqlStatement

  constructor(db: Connection) {
    this.#insert = db.prepare(insertValues('SELECT ? AS session, ? AS parameters'))
    this.#insertTitle = db.prepare(`
      INSERT INTO session_values (session, text, is_cut, title)
      VALUES (?, '', 0, lower(substr(?, 1, ${MAX_TITLE_CHARACTERS})))
      ON CONFLICT (session) DO UPDATE SET title = excluded.title`)
    this.#insertReason = db.prepare(`
      INSERT INTO session_values (session, text, is_cut, reason) VALUES (?, '', 0, lower(?))
      ON CONFLICT (session) DO UPDATE SET reason = excluded.reason`)
  }

  insert(key: number, { labels, reason }: NewRow): void {
    this.#insertForRunbook(key, labels)
    if (reason !== undefined) this.#insertReason.run([key, reason])
  }

  #insertForRunbook(key: number, labels: NewRow['labels']): void {
    const { runbookFile: file, runbookParameters: parameters, runbookTitle: title } = labels
    if (file === undefined) return
    if (parameters !== undefined) this.#insert.run([key, parameters])
    if (title !== undefined) this.#insertTitle.run([key, title])
  }
}
