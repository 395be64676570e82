import type { Connection, SqlStatement } from '../sqlite.ts'

/** Limits of one step, which blocks the whole gateway for some milliseconds: rows of events, and the bytes in them. */
const ROWS_PER_STEP = 256
const BYTES_PER_STEP = 1024 * 1024

/** Which finished sessions are removed, oldest first. */
export type Victims =
  /** Those that ended before this time. */
  | { readonly endedBefore: number }
  /** Those of this user. */
  | { readonly user: string }
  | 'all'

export interface Step {
  /** Sessions that nobody can see any more, with their user and the space they took. */
  readonly removed: readonly { readonly user: string; readonly bytes: number }[]
  /** Nothing is left to remove. */
  readonly isDone: boolean
}

/**
 * Removes finished sessions in small steps. The row of a session goes first, so that nobody takes the rest for the
 * whole. Its events follow, in several steps if there are many, and also after a restart.
 */
export class Removal {
  readonly #statements: ReturnType<typeof prepare>

  constructor(db: Connection) {
    this.#statements = prepare(db)
  }

  /** Call it in a transaction. */
  step(victims: Victims): Step {
    const removed: Step['removed'][number][] = []
    for (let room = { rows: ROWS_PER_STEP, bytes: BYTES_PER_STEP }; room.rows > 0 && room.bytes > 0;) {
      const begun = this.#begun() ?? this.#begin(victims, removed)
      if (begun === undefined) return { removed, isDone: true }
      room = this.#removeEvents(begun, room)
    }
    return { removed, isDone: false }
  }

  /** Whether there is anything to remove. */
  isPossible(victims: Victims): boolean {
    return this.#begun() !== undefined || this.#oldest(victims) !== undefined
  }

  /** A session whose row is gone, but not all of its events. */
  #begun(): number | undefined {
    return (this.#statements.begun.get([]) as [number] | undefined)?.[0]
  }

  #begin(victims: Victims, removed: Step['removed'][number][]): number | undefined {
    const found = this.#oldest(victims)
    if (found === undefined) return undefined
    const [key, user, bytes] = found
    this.#statements.begin.run([key])
    this.#statements.forget.run([key])
    removed.push({ user, bytes })
    return key
  }

  #oldest(victims: Victims): [key: number, user: string, bytes: number] | undefined {
    const { oldest, oldestOf, oldestBefore } = this.#statements
    if (victims === 'all') return oldest.get([]) as [number, string, number] | undefined
    if ('user' in victims) return oldestOf.get([victims.user]) as [number, string, number] | undefined
    return oldestBefore.get([victims.endedBefore]) as [number, string, number] | undefined
  }

  #removeEvents(session: number, room: { rows: number; bytes: number }): { rows: number; bytes: number } {
    const rows = this.#statements.sizes.all([session, room.rows]) as [key: number, bytes: number][]
    let { bytes } = room
    let count = 0
    for (; count < rows.length && bytes > 0; count++) bytes -= rows[count]?.[1] ?? 0
    const last = rows[count - 1]
    if (last !== undefined) this.#statements.removeEvents.run([session, last[0]])
    if (count === rows.length && rows.length < room.rows) this.#statements.end.run([session])
    return { rows: room.rows - Math.max(1, count), bytes }
  }
}

function prepare(db: Connection) {
  const reading = (sql: string): SqlStatement => db.prepare(sql).raw()
  // Who has approved a terminal can take that back as long as it holds, so the review may not go with its session.
  const isNeeded = `EXISTS (SELECT 1 FROM reviews WHERE session = sessions.key AND type = 'jit'
    AND status = 'APPROVED' AND json_extract(record, '$.revokeAt') > unixepoch('subsec') * 1000)`
  const victim = `SELECT key, user, recorded_bytes FROM sessions WHERE NOT ${isNeeded} AND`
  return {
    begun: reading('SELECT session FROM removals LIMIT 1'),
    oldest: reading(`${victim} ended_at IS NOT NULL ORDER BY ended_at LIMIT 1`),
    oldestOf: reading(`${victim} user = ? AND status = 'done' ORDER BY started_at LIMIT 1`),
    oldestBefore: reading(`${victim} ended_at < ? ORDER BY ended_at LIMIT 1`),
    begin: db.prepare('INSERT INTO removals VALUES (?)'),
    forget: db.prepare('DELETE FROM sessions WHERE key = ?'),
    sizes: reading('SELECT key, length(bytes) FROM events WHERE session = ? ORDER BY key LIMIT ?'),
    removeEvents: db.prepare('DELETE FROM events WHERE session = ? AND key <= ?'),
    end: db.prepare('DELETE FROM removals WHERE session = ?'),
  }
}
