import type { Connection } from '../../store/sqlite.ts'

/** What one session has used up. */
export interface SpentRow {
  /** In ms since 1970. */
  readonly startedAt: number
  /** Without the time in which it waited for people. */
  readonly runningMs: number
  /** Of output. */
  readonly bytes: number
}

/** What machines have used up, as rows of the history's file: of sessions, and of those that are removed. */
export class BudgetRows {
  readonly #statements: ReturnType<typeof prepare>

  constructor(db: Connection) {
    this.#statements = prepare(db)
  }

  /** From now on what its sessions have used up outlives them. */
  watch(user: string): void {
    this.#statements.watch.run([user])
  }

  /** Of sessions that began after this time, the oldest first; those that run, up to now. */
  spent(user: string, after: number, now: number): SpentRow[] {
    type Columns = [startedAt: number, runningMs: number, bytes: number]
    const found = this.#statements.spent.all([now, now, user, after, user, after]) as Columns[]
    return found.map(([startedAt, runningMs, bytes]) => ({ startedAt, runningMs, bytes }))
  }
}

function prepare(db: Connection) {
  return {
    watch: db.prepare('INSERT OR IGNORE INTO budgeted_users (name) VALUES (?)'),
    spent: db
      .prepare(
        `SELECT s.started_at, CASE
             WHEN r.session IS NULL THEN coalesce(s.ended_at, ?) - s.started_at
             ELSE coalesce(coalesce(s.ended_at, ?) - json_extract(r.record, '$.claimedAt'), 0) END,
           coalesce(s.output_bytes, s.recorded_bytes)
         FROM sessions s LEFT JOIN reviews r ON r.session = s.key AND r.type = 'onetime'
         WHERE s.user = ? AND s.started_at > ?
         UNION ALL SELECT started_at, running_ms, bytes FROM removed_uses WHERE user = ? AND started_at > ?
         ORDER BY 1`,
      )
      .raw(),
  }
}
