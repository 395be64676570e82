import { randomBytes } from 'node:crypto'
import type { Epoch } from '../../wire/epochs.ts'
import type { Room } from '../store/room.ts'
import { closeFile, type Connection, durably, inTransaction, openFile } from '../store/sqlite.ts'

/** Maximum number of epochs that are kept. One begins at each start of a gateway that an agent connects to. */
const MAX_EPOCHS = 10_000

/** The epochs of this state, oldest first. For use only within `read` and `write` of the history. */
class EpochRows {
  readonly #statements: ReturnType<typeof prepare>

  constructor(db: Connection) {
    this.#statements = prepare(db)
  }

  get newest(): Epoch | undefined {
    const found = this.#statements.newest.get([])
    if (found === undefined) return undefined
    const [id, state, takenOverAt] = found as [string, string, number]
    return { id, state, takenOverAt }
  }

  has(id: string): boolean {
    return this.#statements.has.get([id]) !== undefined
  }

  /** Begins the next epoch of the same state. */
  begin(): Epoch {
    return this.#insert(this.newest?.takenOverAt ?? 0)
  }

  /** Begins an epoch that outranks all copies of this state which were not taken over later. */
  takeOver(): Epoch {
    return this.#insert(Math.max(Date.now(), (this.newest?.takenOverAt ?? 0) + 1))
  }

  #insert(takenOverAt: number): Epoch {
    const epoch = { id: randomId(), state: this.newest?.state ?? randomId(), takenOverAt }
    this.#statements.insert.run([epoch.id, epoch.state, takenOverAt, Date.now()])
    this.#statements.tidy.run([])
    return epoch
  }
}

function randomId(): string {
  return randomBytes(8).toString('hex')
}

function prepare(db: Connection) {
  return {
    newest: db.prepare('SELECT id, state, taken_over_at FROM epochs ORDER BY position DESC LIMIT 1').raw(),
    has: db.prepare('SELECT 1 FROM epochs WHERE id = ?').raw(),
    insert: db.prepare('INSERT INTO epochs (id, state, taken_over_at, began_at) VALUES (?, ?, ?, ?)'),
    tidy: db.prepare(
      `DELETE FROM epochs WHERE position <= (SELECT max(position) FROM epochs) - ${MAX_EPOCHS}`,
    ),
  }
}

const VERSION_35 = `
  CREATE TABLE history.epochs (
    position INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,
    taken_over_at INTEGER NOT NULL,
    began_at INTEGER NOT NULL
  );`

declare module '../store/room.ts' {
  interface Tables {
    readonly epochs: EpochRows
  }
}

export const epochRoom: Room<EpochRows> = {
  rows: (db) => new EpochRows(db),
  steps: { 35: VERSION_35 },
}

/**
 * Takes over in a history that no gateway uses. A history of an older version has no epochs: for agents its
 * state is a new one.
 * @throws SQLite's errors
 */
export function takeOverIn(file: string): void {
  const { db } = openFile(file, undefined)
  try {
    const table = db.prepare(`SELECT 1 FROM history.sqlite_master WHERE name = 'epochs'`).raw()
    if (table.get([]) === undefined) return
    durably(db, () => inTransaction(db, () => new EpochRows(db).takeOver()))
  } finally {
    closeFile(db)
  }
}
