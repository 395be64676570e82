/**
 * Until when each schedule of gateway.yaml has been looked at, and its runs (schedules/schedule-rows.ts). A due time is
 * claimed once.
 */
export const VERSION_12 = `
  CREATE TABLE history.schedules (
    name TEXT PRIMARY KEY,
    rule TEXT NOT NULL,
    done_until INTEGER NOT NULL,
    paused_at INTEGER,
    paused_by TEXT
  ) WITHOUT ROWID;
  CREATE TABLE history.schedule_runs (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    schedule TEXT NOT NULL,
    due_at INTEGER,
    at INTEGER NOT NULL,
    started_by TEXT,
    outcome TEXT NOT NULL,
    code TEXT,
    reason TEXT,
    session TEXT,
    exit_code INTEGER,
    UNIQUE (schedule, due_at)
  );
  CREATE INDEX history.schedule_runs_unfinished ON schedule_runs (key) WHERE outcome IN ('starting', 'started');`
