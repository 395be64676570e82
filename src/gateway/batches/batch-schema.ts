/**
 * One runbook on several connections, and its runs. `record` is JSON; the columns before it are copies. `review` is the
 * id of a review. A run's session may be removed before its batch.
 */
export const VERSION_14 = `
  CREATE TABLE history.batches (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    status TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    size INTEGER NOT NULL,
    review TEXT,
    record TEXT NOT NULL
  );
  CREATE INDEX history.batches_by_status ON batches (status, owner);
  CREATE TABLE history.batch_runs (
    batch INTEGER NOT NULL,
    position INTEGER NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (batch, position)
  ) WITHOUT ROWID;`
