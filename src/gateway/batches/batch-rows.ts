import type { Room } from '../store/room.ts'
import type { Connection, SqlStatement } from '../store/sqlite.ts'
import type { Batch, BatchRun, BatchState, BatchStatus } from './batch.ts'

/**
 * The user whose batches are listed: their own batches, and batches that their groups review. Undefined means
 * that all batches are listed.
 */
type BatchViewer = { readonly name: string; readonly groups: readonly string[] } | undefined

class BatchRows {
  readonly #statements: ReturnType<typeof prepare>

  constructor(db: Connection) {
    this.#statements = prepare(db)
  }

  insert({ batch, runs }: BatchState): void {
    const { id, owner, status, createdAt, review } = batch
    const columns = [id, owner, status, createdAt, runs.length, review?.id ?? null, JSON.stringify(batch)]
    this.#statements.insert.run(columns)
    this.#putRuns(id, runs)
  }

  /** @param runs only the changed runs */
  update(batch: Batch, runs: readonly BatchRun[]): void {
    this.#statements.update.run([batch.status, JSON.stringify(batch), batch.id])
    this.#putRuns(batch.id, runs)
  }

  find(id: string): BatchState | undefined {
    const [batch] = batchesIn(this.#statements.find.all([id]))
    return batch && this.#withRuns(batch)
  }

  has(id: string): boolean {
    return this.#statements.has.get([id]) !== undefined
  }

  /** Returns the runbook's title or path, and the number of connections. */
  called(id: string): readonly [runbook: string, connections: number] | undefined {
    return this.#statements.called.get([id]) as [string, number] | undefined
  }

  list(viewer: BatchViewer, limit: number): BatchState[] {
    const { all, concerning } = this.#statements
    const rows =
      viewer === undefined
        ? all.all([limit])
        : concerning.all([viewer.name, JSON.stringify(viewer.groups), limit])
    return batchesIn(rows).map((batch) => this.#withRuns(batch))
  }

  withStatus(status: BatchStatus): BatchState[] {
    return batchesIn(this.#statements.withStatus.all([status])).map((batch) => this.#withRuns(batch))
  }

  /** Counts the runs of a batch by status. */
  runCounts(id: string): ReadonlyMap<BatchRun['status'], number> {
    return new Map(this.#statements.runCounts.all([id]) as [BatchRun['status'], number][])
  }

  /** Counts waiting and running batches. */
  activeOf(owner: string): number {
    return (this.#statements.activeOf.get([owner]) as [number])[0]
  }

  /** Removes ended batches created before this time, and the oldest ones beyond `mostRuns` runs. */
  prune(before: number, mostRuns: number): number {
    const { old, excess, remove, removeRuns } = this.#statements
    const rows = [...old.all([Math.round(before)]), ...excess.all([mostRuns])] as [number][]
    for (const [key] of rows) {
      removeRuns.run([key])
      remove.run([key])
    }
    return rows.length
  }

  #withRuns(batch: Batch): BatchState {
    const rows = this.#statements.runs.all([batch.id]) as [string][]
    return { batch, runs: rows.map(([record]) => JSON.parse(record) as BatchRun) }
  }

  #putRuns(id: string, runs: readonly BatchRun[]): void {
    for (const run of runs) this.#statements.putRun.run([run.position, JSON.stringify(run), id])
  }
}

function batchesIn(rows: readonly unknown[]): Batch[] {
  return (rows as [string][]).map(([record]) => JSON.parse(record) as Batch)
}

const OVER = `status IN ('done', 'stopped')`

function prepare(db: Connection) {
  const reading = (sql: string): SqlStatement => db.prepare(sql).raw()
  return {
    insert: db.prepare(`INSERT INTO batches (id, owner, status, created_at, size, review, record)
                        VALUES (?, ?, ?, ?, ?, ?, ?)`),
    update: db.prepare('UPDATE batches SET status = ?, record = ? WHERE id = ?'),
    putRun: db.prepare(`INSERT OR REPLACE INTO batch_runs (batch, position, record)
                        SELECT key, ?, ? FROM batches WHERE id = ?`),
    find: reading('SELECT record FROM batches WHERE id = ?'),
    called: reading(
      "SELECT coalesce(record ->> '$.title', record ->> '$.file'), size FROM batches WHERE id = ? AND json_valid(record)",
    ),
    has: reading('SELECT 1 FROM batches WHERE id = ?'),
    all: reading('SELECT record FROM batches ORDER BY key DESC LIMIT ?'),
    concerning: reading(`SELECT record FROM batches
                         WHERE owner = ? OR review IN (
                           SELECT id FROM reviews WHERE session IN (
                             SELECT session FROM review_groups WHERE name IN (SELECT value FROM json_each(?))))
                         ORDER BY key DESC LIMIT ?`),
    withStatus: reading('SELECT record FROM batches WHERE status = ? ORDER BY key'),
    activeOf: reading(`SELECT count(*) FROM batches WHERE status IN ('waiting', 'running') AND owner = ?`),
    runs: reading(`SELECT r.record FROM batch_runs r JOIN batches b ON b.key = r.batch
                   WHERE b.id = ? ORDER BY r.position`),
    runCounts:
      reading(`SELECT r.record ->> '$.status', count(*) FROM batch_runs r JOIN batches b ON b.key = r.batch
                        WHERE b.id = ? GROUP BY 1`),
    old: reading(`SELECT key FROM batches WHERE ${OVER} AND created_at < ? LIMIT 100`),
    excess:
      reading(`SELECT key FROM (SELECT key, status, sum(size) OVER (ORDER BY key DESC) AS total FROM batches)
                     WHERE ${OVER} AND total > ? LIMIT 100`),
    remove: db.prepare('DELETE FROM batches WHERE key = ?'),
    removeRuns: db.prepare('DELETE FROM batch_runs WHERE batch = ?'),
  }
}

/**
 * `record` contains the batch or the run as JSON. The columns before `record` are copies of its fields.
 * `review` is the id of a review. The session of a run may be removed before the batch.
 */
const VERSION_14 = `
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

declare module '../store/room.ts' {
  interface Tables {
    readonly batches: BatchRows
  }
}

export const batchRoom: Room<BatchRows> = {
  rows: (db) => new BatchRows(db),
  steps: { 14: VERSION_14 },
  watched: { batches: [], batch_runs: [] },
  json: { batches: ['record'], batch_runs: ['record'] },
}
