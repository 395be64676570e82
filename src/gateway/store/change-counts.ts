import type { Room, Rooms, Tables } from './room.ts'
import type { Connection, SqlStatement } from './sqlite.ts'

/** By the name of the room. */
export type ChangesSoFar = Readonly<Partial<Record<keyof Tables, number>>>

/**
 * Counts changes by triggers of this connection, in memory: whatever writes, nothing can forget to tell of it, and what
 * was rolled back has not happened.
 */
export class ChangeCounts {
  readonly #read: SqlStatement

  constructor(db: Connection, rooms: Rooms) {
    db.exec('CREATE TEMP TABLE change_counts (topic TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID')
    for (const [topic, { watched }] of Object.entries<Room<unknown>>(rooms)) {
      if (watched === undefined) continue
      db.exec(`INSERT INTO change_counts VALUES ('${topic}', 0)`)
      for (const [table, columns] of Object.entries(watched)) db.exec(triggers(topic, table, columns))
    }
    this.#read = db.prepare('SELECT topic, count FROM change_counts').raw()
  }

  /** Since the file was opened. */
  get soFar(): ChangesSoFar {
    return Object.fromEntries(this.#read.all([]) as [string, number][])
  }
}

function triggers(topic: string, table: string, columns: readonly string[]): string {
  const update = columns.length === 0 ? 'UPDATE' : `UPDATE OF ${columns.join(', ')}`
  return ['INSERT', update, 'DELETE']
    .map(
      (event, at) => `CREATE TEMP TRIGGER change_of_${table}_${at} AFTER ${event} ON history.${table}
        BEGIN UPDATE change_counts SET count = count + 1 WHERE topic = '${topic}'; END;`,
    )
    .join('\n')
}
