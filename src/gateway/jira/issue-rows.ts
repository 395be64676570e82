import type { SessionPart, SessionParts } from '../history/rows.ts'
import type { Room } from '../store/room.ts'
import type { Connection, SqlStatement } from '../store/sqlite.ts'

/**
 * A request for an issue. It is stored before it is sent to Jira, so that a crash of this process does not
 * lose it.
 */
export interface AskedIssue {
  /** Id of the session. The session begins after Jira has created the issue. */
  readonly session: string
  readonly askedAt: number
  /** Id of the process that sends the request. */
  readonly gateway: string
  /** Facts of the session, as JSON. */
  readonly request: string
  readonly site: string
  readonly project: string
  /** Status to which the issue is moved after the session. */
  readonly target: string
  /** True if the issue is also moved after a failed session. */
  readonly movesFailed: boolean
}

/** A request for an issue whose session never began. A repair may have lost sessions that have run. */
export interface OrphanedIssue {
  readonly session: string
  readonly askedAt: number
  readonly request: string
  readonly project: string
  /** Null if it is unknown whether the issue exists. */
  readonly key: string | null
}

export interface EndedIssue {
  readonly session: string
  readonly key: string
  readonly site: string
  readonly target: string
  /**
   * True if the issue keeps its status: the session did not run, or it failed and the template moves no
   * issues of failed sessions.
   */
  readonly stays: boolean
  readonly attempts: number
  readonly endedAt: number
}

/** If a session is removed, its row here stays until the issue is moved. */
class IssueRows {
  readonly #statements: ReturnType<typeof prepare>

  constructor(db: Connection) {
    this.#statements = prepare(db)
  }

  ask({ session, askedAt, gateway, request, site, project, target, movesFailed }: AskedIssue): void {
    const asked = [session, askedAt, gateway, request, site, project, target]
    // libsql aborts the process on booleans.
    this.#statements.ask.run([...asked, Number(movesFailed)])
  }

  forget(session: string): void {
    this.#statements.forget.run([session])
  }

  keep(session: string, { key, url }: { readonly key: string; readonly url: string }): void {
    this.#statements.keep.run([key, url, session])
  }

  has(session: string): boolean {
    return this.#statements.has.get([session]) !== undefined
  }

  run(session: string): void {
    this.#statements.run.run([session])
  }

  /** Returns the requests of other processes whose sessions never began. */
  orphans(gateway: string): OrphanedIssue[] {
    type Columns = [string, number, string, string, string | null]
    return (this.#statements.orphans.all([gateway]) as Columns[]).map(
      ([session, askedAt, request, project, key]) => ({ session, askedAt, request, project, key }),
    )
  }

  /** Returns issues whose session has ended. The issue that has been due for the longest time comes first. */
  ended(now: number, limit: number): EndedIssue[] {
    type Columns = [string, string, string, string, number, number, number]
    return (this.#statements.ended.all([now, limit]) as Columns[]).map(
      ([session, key, site, target, stays, attempts, endedAt]) => ({
        session,
        key,
        site,
        target,
        attempts,
        endedAt,
        stays: stays === 1,
      }),
    )
  }

  /** Counts issues whose move has failed and will be retried. */
  failing(): number {
    return (this.#statements.failing.get([]) as [number])[0]
  }

  waiting(): number {
    return (this.#statements.waiting.get([]) as [number])[0]
  }

  /** Lists the sessions of the oldest failed issues beyond `most`. */
  excess(most: number): string[] {
    return (this.#statements.excess.all([most]) as [string][]).map(([session]) => session)
  }

  settle(session: string, outcome: MoveOutcome, error: string | null): void {
    this.#statements.settle.run([outcome, error, session])
    this.#statements.tidy.run([session])
  }

  retry(session: string, dueAt: number, error: string): void {
    this.#statements.retry.run([Math.round(dueAt), error, session])
  }
}

const ENDED = `FROM jira_issues i LEFT JOIN sessions s ON s.id = i.session
  WHERE i.outcome IS NULL AND i.key IS NOT NULL AND (s.status = 'done' OR i.ended_at IS NOT NULL)`

function prepare(db: Connection) {
  const reading = (sql: string): SqlStatement => db.prepare(sql).raw()
  return {
    ask: db.prepare(`INSERT INTO jira_issues (session, asked_at, gateway, request, site, project, target,
                       moves_failed) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`),
    forget: db.prepare('DELETE FROM jira_issues WHERE session = ?'),
    keep: db.prepare('UPDATE jira_issues SET key = ?, url = ? WHERE session = ?'),
    run: db.prepare(`UPDATE jira_issues SET has_run = 1, request = '' WHERE session = ?`),
    has: reading('SELECT 1 FROM jira_issues WHERE session = ?'),
    orphans: reading(`SELECT session, asked_at, request, project, key FROM jira_issues
                      WHERE gateway <> ? AND outcome IS NULL AND ended_at IS NULL AND has_run = 0
                        AND NOT EXISTS (SELECT 1 FROM sessions WHERE id = jira_issues.session)`),
    ended: reading(`SELECT i.session, i.key, i.site, i.target,
                      i.has_run = 0 OR (i.moves_failed = 0 AND coalesce(s.exit_code, i.exit_code, 254) <> 0),
                      i.attempts, coalesce(s.ended_at, i.ended_at)
                    ${ENDED} AND i.due_at <= ? ORDER BY i.due_at LIMIT ?`),
    failing: reading('SELECT count(*) FROM jira_issues WHERE outcome IS NULL AND attempts > 0'),
    waiting: reading(`SELECT count(*) ${ENDED}`),
    excess: reading(
      `SELECT i.session ${ENDED} AND i.attempts > 0 ORDER BY i.asked_at DESC LIMIT -1 OFFSET ?`,
    ),
    settle: db.prepare('UPDATE jira_issues SET outcome = ?, error = ? WHERE session = ?'),
    tidy: db.prepare(`DELETE FROM jira_issues WHERE session = ? AND
                        NOT EXISTS (SELECT 1 FROM sessions WHERE id = jira_issues.session)`),
    retry: db.prepare(
      `UPDATE jira_issues SET due_at = ?, error = ?, attempts = attempts + 1 WHERE session = ?`,
    ),
  }
}

/**
 * A row is inserted before its session exists. If the session is removed, the row stays until the issue is
 * moved. The row then has the session's `ended_at` and `exit_code`.
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

declare module '../store/room.ts' {
  interface Tables {
    readonly issues: IssueRows
  }
}

export const issueRoom: Room<IssueRows> = {
  rows: (db) => new IssueRows(db),
  steps: { 8: VERSION_8 },
  // `run` empties the request.
  emptied: { jira_issues: ['request'] },
}

declare module '../history/session.ts' {
  interface SessionFacts {
    readonly issue?: SessionIssue
  }
}

export const issueOfSession: SessionPart<SessionIssue> = {
  column: `(SELECT json_array(key, url, outcome, attempts, error) FROM jira_issues
            WHERE session = sessions.id AND key IS NOT NULL)`,
  read: (json) => {
    type Columns = [string, string, SessionIssue['move']['status'] | null, number, string | null]
    const [key, url, outcome, attempts, error] = JSON.parse(json) as Columns
    return { fact: { key, url, move: { status: outcome ?? 'pending', attempts, error } } }
  },
}

export const ISSUE_FILTERS = {
  issueKeys: 'id IN (SELECT session FROM jira_issues WHERE key IN (SELECT value FROM json_each(?)))',
} as const satisfies Partial<SessionParts['filters']>

export interface SessionIssue {
  readonly key: string
  readonly url: string
  readonly move: {
    /** `pending`: the issue is moved after the session. `skipped`: the issue keeps its status. */
    readonly status: 'pending' | 'done' | 'skipped' | 'given-up'
    readonly attempts: number
    /** Error of the last attempt. */
    readonly error: string | null
  }
}

export type MoveOutcome = Exclude<SessionIssue['move']['status'], 'pending'>
