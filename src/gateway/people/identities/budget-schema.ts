/**
 * What machines with a budget have used up. Sessions that are removed from the history leave it here, for as long as the
 * longest stretch of a budget (31 days): who writes much, and so pushes out what he wrote before, gains nothing.
 */
export const VERSION_13 = `
  CREATE TABLE history.budgeted_users (name TEXT PRIMARY KEY);
  CREATE TABLE history.removed_uses (
    user TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    running_ms INTEGER NOT NULL,
    bytes INTEGER NOT NULL
  );
  CREATE INDEX history.removed_uses_by_user ON removed_uses (user, started_at);
  CREATE TRIGGER history.uses_of_removed_sessions BEFORE DELETE ON sessions
    WHEN EXISTS (SELECT 1 FROM budgeted_users WHERE name = old.user) BEGIN
    DELETE FROM removed_uses WHERE started_at < (unixepoch('now') - 32 * 86400) * 1000;
    INSERT INTO removed_uses
      SELECT old.user, old.started_at, coalesce(old.ended_at, old.started_at) - coalesce(
        (SELECT coalesce(json_extract(record, '$.claimedAt'), old.ended_at) FROM reviews
          WHERE session = old.key AND type = 'onetime'), old.started_at), coalesce(old.output_bytes, 0)
      WHERE old.started_at >= (unixepoch('now') - 32 * 86400) * 1000;
  END;`
