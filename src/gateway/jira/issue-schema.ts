/**
 * Issues of Jira, from the moment at which Jira is asked for one, so before there is a session (jira/issue-rows.ts). A
 * session that is removed leaves what is needed to move its issue. `ended_at` and `exit_code` are set then.
 */
export const VERSION_8 = `
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
