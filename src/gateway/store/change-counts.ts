import type { Connection, SqlStatement } from './sqlite.ts'

/** What changes, and the tables where it stands: only what lists show, so that output alone changes nothing. */
const TABLES = {
  sessions: ['sessions'],
  reviews: ['reviews', 'review_groups'],
  batches: ['batches', 'batch_runs'],
  schedules: ['schedules', 'schedule_runs'],
} as const

type ChangeTopic = keyof typeof TABLES
export type ChangesSoFar = Readonly<Record<ChangeTopic, number>>

const TOPICS = Object.keys(TABLES) as ChangeTopic[]
/** Of sessions: their rows count output as well, while they run. */
const COLUMNS = 'status, request, exit_code'

/**
 * Counts changes by triggers of this connection, in memory: whatever writes, nothing can forget to tell of it, and what
 * was rolled back has not happened.
 */
export class ChangeCounts {
  readonly #read: SqlStatement

  constructor(db: Connection) {
    db.exec('CREATE TEMP TABLE change_counts (topic TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID')
    for (const topic of TOPICS) {
      db.exec(`INSERT INTO change_counts VALUES ('${topic}', 0)`)
      for (const table of TABLES[topic]) db.exec(triggers(topic, table))
    }
    this.#read = db.prepare('SELECT topic, count FROM change_counts').raw()
  }

  /** Since the file was opened. */
  get soFar(): ChangesSoFar {
    return Object.fromEntries(this.#read.all([]) as [string, number][]) as ChangesSoFar
  }
}

function triggers(topic: ChangeTopic, table: string): string {
  const update = table === 'sessions' ? `UPDATE OF ${COLUMNS}` : 'UPDATE'
  return ['INSERT', update, 'DELETE']
    .map(
      (event, at) => `CREATE TEMP TRIGGER change_of_${table}_${at} AFTER ${event} ON history.${table}
        BEGIN UPDATE change_counts SET count = count + 1 WHERE topic = '${topic}'; END;`,
    )
    .join('\n')
}
