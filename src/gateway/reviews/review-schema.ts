/**
 * Questions to people before something runs. `record` is JSON, `request` what will run, sealed, until it has run or never
 * will. The columns before them are copies from `record`. Foreign keys are off (sqlite.ts), so a trigger removes what
 * belongs to a session.
 */
export const VERSION_7 = `
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
