/** Finds the oldest sessions of each connection, and counts what those of a connection take up. */
export const VERSION_10 = `
  DROP INDEX history.sessions_by_end;
  CREATE INDEX history.sessions_by_end ON sessions (connection, ended_at, recorded_bytes);`
