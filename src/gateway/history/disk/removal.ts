import type { KeptConnection } from '../../settings/retention.ts'
import type { Connection, SqlStatement } from '../../store/sqlite.ts'

/**
 * Maximum number of event rows, and of their bytes, that one step removes. A step blocks the gateway for some
 * milliseconds.
 */
const ROWS_PER_STEP = 256
const BYTES_PER_STEP = 1024 * 1024

/** Selects finished sessions for removal. The oldest sessions are removed first. */
export type Victims =
  /** With `endedBefore`, selects only sessions that ended before this time. */
  | { readonly connection: string; readonly endedBefore?: number }
  | { readonly user: string }
  /** Selects no new session. Only removes the events that are left of a session whose removal has begun. */
  | 'begun'

export interface Step {
  /** Sessions that this step has removed from the lists, and the space that they took. */
  readonly removed: readonly RemovedSession[]
  readonly isDone: boolean
}

/** The user and the connection for whose limits the recorded bytes count. */
export interface Holder {
  readonly user: string
  readonly connection: string
}

interface RemovedSession extends Holder {
  readonly bytes: number
}

/**
 * Removes the row of a session first, so that no reader takes the remaining events for the whole record. Then
 * removes the events in steps. After a restart, the steps continue.
 */
export class Removal {
  readonly #statements: ReturnType<typeof prepare>

  /** @param keeps SQL condition of ended sessions that must not be removed */
  constructor(db: Connection, keeps: string) {
    this.#statements = prepare(db, keeps)
  }

  /** Call this in a transaction. */
  step(victims: Victims): Step {
    const removed: RemovedSession[] = []
    for (let room = { rows: ROWS_PER_STEP, bytes: BYTES_PER_STEP }; room.rows > 0 && room.bytes > 0;) {
      const begun = this.#begun() ?? this.#begin(victims, removed)
      if (begun === undefined) return { removed, isDone: true }
      room = this.#removeEvents(begun, room)
    }
    return { removed, isDone: false }
  }

  /**
   * Tells whether a session of this user or connection can be removed. Without both, tells whether any
   * session can be removed.
   */
  isPossible({ user, connection }: Partial<Holder>): boolean {
    if (this.#begun() !== undefined) return true
    if (user !== undefined) return this.#oldest({ user }) !== undefined
    if (connection !== undefined) return this.#oldest({ connection }) !== undefined
    return this.#statements.any.get([]) !== undefined
  }

  kept(): KeptConnection[] {
    const rows = this.#statements.kept.all([]) as [string, number | null, number | null][]
    return rows.flatMap(([connection, oldestEnd, newestEnd]) =>
      oldestEnd === null || newestEnd === null ? [] : [{ connection, oldestEnd, newestEnd }],
    )
  }

  /** Key of a session whose row is already removed, while some of its events are left. */
  #begun(): number | undefined {
    return (this.#statements.begun.get([]) as [number] | undefined)?.[0]
  }

  #begin(victims: Victims, removed: RemovedSession[]): number | undefined {
    const found = this.#oldest(victims)
    if (found === undefined) return undefined
    const [key, user, connection, bytes] = found
    this.#statements.begin.run([key])
    this.#statements.forget.run([key])
    removed.push({ user, connection, bytes })
    return key
  }

  #oldest(victims: Victims): Victim | undefined {
    const { oldestOfUser, oldestOfConnection } = this.#statements
    if (victims === 'begun') return undefined
    if ('user' in victims) return oldestOfUser.get([victims.user]) as Victim | undefined
    const { connection, endedBefore = FOREVER } = victims
    return oldestOfConnection.get([connection, endedBefore]) as Victim | undefined
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

type Victim = [key: number, user: string, connection: string, bytes: number]

const FOREVER = Number.MAX_SAFE_INTEGER

/**
 * SQL that lists all connections with the earliest and the latest end of their sessions. SQLite finds both
 * ends in an index.
 */
function keptOf(keeps: string): string {
  const end = (order: 'ASC' | 'DESC') =>
    `(SELECT ended_at FROM sessions WHERE NOT (${keeps}) AND connection = name AND ended_at IS NOT NULL
      ORDER BY ended_at ${order} LIMIT 1)`
  return `
  WITH RECURSIVE names (name) AS (
    SELECT min(connection) FROM sessions
    UNION ALL
    SELECT (SELECT min(connection) FROM sessions WHERE connection > name) FROM names WHERE name IS NOT NULL)
  SELECT name, ${end('ASC')}, ${end('DESC')} FROM names WHERE name IS NOT NULL`
}

function prepare(db: Connection, keeps: string) {
  const reading = (sql: string): SqlStatement => db.prepare(sql).raw()
  const victim = `SELECT key, user, connection, recorded_bytes FROM sessions WHERE NOT (${keeps}) AND`
  return {
    begun: reading('SELECT session FROM removals LIMIT 1'),
    kept: reading(keptOf(keeps)),
    any: reading(`${victim} status = 'done' LIMIT 1`),
    oldestOfUser: reading(`${victim} user = ? AND status = 'done' ORDER BY started_at LIMIT 1`),
    oldestOfConnection: reading(`${victim} connection = ? AND ended_at < ? ORDER BY ended_at LIMIT 1`),
    begin: db.prepare('INSERT INTO removals VALUES (?)'),
    forget: db.prepare('DELETE FROM sessions WHERE key = ?'),
    sizes: reading('SELECT key, length(bytes) FROM events WHERE session = ? ORDER BY key LIMIT ?'),
    removeEvents: db.prepare('DELETE FROM events WHERE session = ? AND key <= ?'),
    end: db.prepare('DELETE FROM removals WHERE session = ?'),
  }
}
