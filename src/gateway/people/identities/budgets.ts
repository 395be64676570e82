import type { History } from '../../history/history.ts'
import type { Budget } from '../../identity.ts'
import { refused } from '../../refusals/request-refused.ts'
import type { Room } from '../../store/room.ts'
import type { Connection } from '../../store/sqlite.ts'
import type { Users } from './users.ts'

const HOUR_MS = 60 * 60 * 1000

/**
 * Limits what a machine may use. The use is counted from the sessions in the history, so a restart loses
 * nothing. The check happens when a session begins, so the last session may exceed the budget.
 */
export class Budgets {
  readonly #users: Pick<Users, 'named'>
  readonly #history: History
  readonly #watched = new Set<string>()

  constructor(users: Pick<Users, 'named'>, history: History) {
    this.#users = users
    this.#history = history
  }

  /** Returns the use in the last period; undefined without a budget. @throws HistoryError */
  used(name: string): Used | undefined {
    const budget = this.#users.named(name)?.budget
    if (budget === undefined) return undefined
    const now = Date.now()
    const spent = this.#history.read(({ budgets }) => budgets.spent(name, now - budget.perMs, now))
    return {
      runs: spent.length,
      bytes: spent.reduce((sum, row) => sum + row.bytes, 0),
      runningMs: spent.reduce((sum, row) => sum + row.runningMs, 0),
      freeAt: freeAt(spent, budget, now),
    }
  }

  /** @throws RequestRefused when the machine may begin no more sessions, HistoryError */
  check(name: string): void {
    const budget = this.#users.named(name)?.budget
    if (budget === undefined) return
    this.#watch(name)
    const now = Date.now()
    const spent = this.#history.read(({ budgets }) => budgets.spent(name, now - budget.perMs, now))
    const last = lastLimit(spent, budget)
    if (last === undefined) return
    const time = new Date(Math.max(now, last.at + budget.perMs)).toISOString()
    throw refused('budget-spent', { name, what: last.what, span: spanText(budget.perMs), time })
  }

  /**
   * From now on, keeps the use of sessions that are removed. This is called before the machine's first
   * session, so that no removal is missed.
   */
  #watch(name: string): void {
    if (this.#watched.has(name)) return
    this.#history.write(({ budgets }) => budgets.watch(name))
    this.#watched.add(name)
  }
}

interface Used {
  readonly runs: number
  readonly bytes: number
  readonly runningMs: number
  /** Time in ms since 1970 at which the next session may begin. Undefined if it may begin now. */
  readonly freeAt: number | undefined
}

function freeAt(spent: readonly SpentRow[], budget: Budget, now: number): number | undefined {
  const last = lastLimit(spent, budget)
  return last === undefined ? undefined : Math.max(now, last.at + budget.perMs)
}

/**
 * Returns the limit that blocks the machine longest. The session that began at `at` blocks the next one: it
 * may begin when that session is older than the period.
 */
function lastLimit(spent: readonly SpentRow[], budget: Budget): { what: string; at: number } | undefined {
  const found = limitsOf(budget).flatMap(({ limit, what, of }) => {
    const at = roomAt(spent, limit, of)
    return at === undefined ? [] : [{ what, at }]
  })
  return found.toSorted((one, other) => other.at - one.at)[0]
}

interface Limit {
  readonly limit: number
  readonly what: string
  readonly of: (row: SpentRow) => number
}

function limitsOf({ runs, bytes, runningMs }: Budget): Limit[] {
  return [
    { limit: runs, what: `${runs} runs`, of: () => 1 },
    ...(bytes === undefined
      ? []
      : [{ limit: bytes, what: `${bytes} bytes`, of: (row: SpentRow) => row.bytes }]),
    ...(runningMs === undefined
      ? []
      : [{ limit: runningMs, what: `${runningMs / HOUR_MS} hours`, of: (row: SpentRow) => row.runningMs }]),
  ]
}

/**
 * Returns the start of the session that blocks the next one. The next session may begin when the returned
 * time is older than the period. Returns undefined if the next session may begin now.
 */
function roomAt(spent: readonly SpentRow[], limit: number, of: Limit['of']): number | undefined {
  let left = spent.reduce((sum, row) => sum + of(row), 0)
  let at: number | undefined
  for (const row of spent) {
    if (left < limit) break
    left -= of(row)
    at = row.startedAt
  }
  return at
}

function spanText(ms: number): string {
  const [length, unit] = [
    [24 * HOUR_MS, 'd'],
    [HOUR_MS, 'h'],
    [60_000, 'm'],
    [1000, 's'],
  ].find(([size]) => ms % (size as number) === 0) ?? [1, 'ms']
  return `${ms / (length as number)}${unit as string}`
}

interface SpentRow {
  /** Time in ms since 1970. */
  readonly startedAt: number
  /** Time in ms that the command ran. Sessions that have not begun count from the end of their wait for approval. */
  readonly runningMs: number
  /** Bytes of output. */
  readonly bytes: number
}

/** The use of a machine, by sessions in the history and by removed sessions. */
class BudgetRows {
  readonly #statements: ReturnType<typeof prepare>

  constructor(db: Connection) {
    this.#statements = prepare(db)
  }

  /** From now on, the use of removed sessions counts, too. */
  watch(user: string): void {
    this.#statements.watch.run([user])
  }

  /** Returns the sessions that began after this time, oldest first. Running sessions count up to now. */
  spent(user: string, after: number, now: number): SpentRow[] {
    type Columns = [startedAt: number, runningMs: number, bytes: number]
    const found = this.#statements.spent.all([now, now, now, user, after, user, after]) as Columns[]
    return found.map(([startedAt, runningMs, bytes]) => ({ startedAt, runningMs, bytes }))
  }
}

function prepare(db: Connection) {
  return {
    watch: db.prepare('INSERT OR IGNORE INTO budgeted_users (name) VALUES (?)'),
    spent: db
      .prepare(
        `SELECT s.started_at, CASE
             WHEN s.began_at IS NOT NULL THEN coalesce(s.ended_at, ?) - s.began_at
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

/**
 * The use of removed sessions is kept for 32 days. No period of a budget is longer than 31 days. So a machine
 * gains nothing if it writes so much that its older sessions are removed.
 */
const VERSION_13 = `
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

/** The use of removed sessions now counts from the beginning of their command, if it is known. */
const VERSION_25 = `
  DROP TRIGGER history.uses_of_removed_sessions;
  CREATE TRIGGER history.uses_of_removed_sessions BEFORE DELETE ON sessions
    WHEN EXISTS (SELECT 1 FROM budgeted_users WHERE name = old.user) BEGIN
    DELETE FROM removed_uses WHERE started_at < (unixepoch('now') - 32 * 86400) * 1000;
    INSERT INTO removed_uses
      SELECT old.user, old.started_at, coalesce(old.ended_at, old.began_at, old.started_at) - coalesce(old.began_at,
        (SELECT coalesce(json_extract(record, '$.claimedAt'), old.ended_at) FROM reviews
          WHERE session = old.key AND type = 'onetime'), old.started_at), coalesce(old.output_bytes, 0)
      WHERE old.started_at >= (unixepoch('now') - 32 * 86400) * 1000;
  END;`

declare module '../../store/room.ts' {
  interface Tables {
    readonly budgets: BudgetRows
  }
}

export const budgetRoom: Room<BudgetRows> = {
  rows: (db) => new BudgetRows(db),
  steps: { 13: VERSION_13, 25: VERSION_25 },
}
