import type { Room } from '../store/room.ts'
import type { Connection, SqlStatement } from '../store/sqlite.ts'

/** Times are in ms since 1970. */
export interface ScheduleState {
  readonly name: string
  /** Rule at the last check. */
  readonly rule: string
  /** Due times until this time have been handled. */
  readonly doneUntil: number
  readonly pausedAt: number | null
  readonly pausedBy: string | null
}

/**
 * `starting`: the run is claimed and has no session yet. `started`: the run has a session, which may wait for
 * approval. `ended`: the session has ended. `skipped`, `failed`: the run has a reason instead of a session.
 */
type RunOutcome = 'starting' | 'started' | 'ended' | 'skipped' | 'failed'

export interface ScheduleRun {
  /** Also the correlation id of the run's session. */
  readonly id: string
  readonly schedule: string
  /** Null for a run that a user has started. */
  readonly dueAt: number | null
  readonly at: number
  /** The user who has started the run. Null for a due run. */
  readonly by: string | null
  readonly outcome: RunOutcome
  readonly code: string | null
  readonly reason: string | null
  readonly session: string | null
  readonly exitCode: number | null
}

/** Number of runs that are kept per schedule. Older runs are removed, but not their sessions. */
const KEPT_RUNS = 100

/** For use only within `read` and `write` of the history. */
class ScheduleRows {
  readonly #statements: ReturnType<typeof prepare>

  constructor(db: Connection) {
    this.#statements = prepare(db)
  }

  states(): ScheduleState[] {
    type Columns = [string, string, number, number | null, string | null]
    return (this.#statements.states.all([]) as Columns[]).map(
      ([name, rule, doneUntil, pausedAt, pausedBy]) => ({ name, rule, doneUntil, pausedAt, pausedBy }),
    )
  }

  setState({ name, rule, doneUntil, pausedAt, pausedBy }: ScheduleState): void {
    this.#statements.setState.run([name, rule, doneUntil, pausedAt, pausedBy])
  }

  forget(name: string): void {
    this.#statements.forget.run([name])
    this.#statements.forgetRuns.run([name])
  }

  /** @returns false if this due time is already claimed; then nothing has changed */
  claim(run: ScheduleRun): boolean {
    const { id, schedule, dueAt, at, by, outcome, code, reason } = run
    const { changes } = this.#statements.claim.run([id, schedule, dueAt, at, by, outcome, code, reason])
    if (changes > 0) this.#statements.tidy.run([schedule, schedule])
    return changes > 0
  }

  started(id: string, session: string): void {
    this.#statements.started.run([session, id])
  }

  failed(id: string, code: string | null, reason: string): void {
    this.#statements.failed.run([code, reason, id])
  }

  ended(id: string, exitCode: number | null): void {
    this.#statements.ended.run([exitCode, id])
  }

  /** Records why a waiting run does not continue. */
  note(id: string, reason: string): void {
    this.#statements.note.run([reason, id])
  }

  run(id: string): ScheduleRun | undefined {
    const found = this.#statements.run.get([id])
    return found === undefined ? undefined : toRun(found)
  }

  /** Lists the newest runs first. */
  runs(schedule: string, limit: number): ScheduleRun[] {
    return this.#statements.runs.all([schedule, limit]).map(toRun)
  }

  unfinished(): ScheduleRun[] {
    return this.#statements.unfinished.all([]).map(toRun)
  }
}

function toRun(row: unknown): ScheduleRun {
  type Text = string | null
  type Columns = [string, string, number | null, number, Text, RunOutcome, Text, Text, Text, number | null]
  const [id, schedule, dueAt, at, by, outcome, code, reason, session, exitCode] = row as Columns
  return { id, schedule, dueAt, at, by, outcome, code, reason, session, exitCode }
}

const RUN =
  'id, schedule, due_at, at, started_by, outcome, code, reason, session, exit_code FROM schedule_runs'

function prepare(db: Connection) {
  const reading = (sql: string): SqlStatement => db.prepare(sql).raw()
  return {
    states: reading('SELECT name, rule, done_until, paused_at, paused_by FROM schedules'),
    setState: db.prepare(`INSERT OR REPLACE INTO schedules (name, rule, done_until, paused_at, paused_by)
                          VALUES (?, ?, ?, ?, ?)`),
    forget: db.prepare('DELETE FROM schedules WHERE name = ?'),
    forgetRuns: db.prepare('DELETE FROM schedule_runs WHERE schedule = ?'),
    claim: db.prepare(`INSERT OR IGNORE INTO schedule_runs
                         (id, schedule, due_at, at, started_by, outcome, code, reason)
                       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`),
    tidy: db.prepare(`DELETE FROM schedule_runs WHERE schedule = ? AND outcome NOT IN ('starting', 'started')
                        AND key NOT IN (SELECT key FROM schedule_runs WHERE schedule = ?
                                        ORDER BY key DESC LIMIT ${KEPT_RUNS})`),
    started: db.prepare(`UPDATE schedule_runs SET outcome = 'started', session = ? WHERE id = ?`),
    failed: db.prepare(`UPDATE schedule_runs SET outcome = 'failed', code = ?, reason = ? WHERE id = ?`),
    ended: db.prepare(`UPDATE schedule_runs SET outcome = 'ended', exit_code = ? WHERE id = ?`),
    note: db.prepare('UPDATE schedule_runs SET reason = ? WHERE id = ?'),
    run: reading(`SELECT ${RUN} WHERE id = ?`),
    runs: reading(`SELECT ${RUN} WHERE schedule = ? ORDER BY key DESC LIMIT ?`),
    unfinished: reading(`SELECT ${RUN} WHERE outcome IN ('starting', 'started') ORDER BY key`),
  }
}

/** The UNIQUE constraint makes sure that a due time is claimed only once. */
const VERSION_12 = `
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

declare module '../store/room.ts' {
  interface Tables {
    readonly schedules: ScheduleRows
  }
}

export const scheduleRoom: Room<ScheduleRows> = {
  rows: (db) => new ScheduleRows(db),
  steps: { 12: VERSION_12 },
  watched: { schedules: [], schedule_runs: [] },
}
