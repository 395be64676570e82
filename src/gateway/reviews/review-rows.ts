import type { Review, ReviewStatus } from './review.ts'
import type { Connection, SqlStatement } from '../store/sqlite.ts'

/** What one user has waiting. */
interface Waiting {
  readonly reviews: number
  /** Of the sealed requests. */
  readonly bytes: number
}

/** Whom a list of reviews is for: the reviews that he asked for, and those of his groups. Undefined: all. */
export type ReviewViewer = { readonly name: string; readonly groups: readonly string[] } | undefined

/** In one list, the newest ones. */
const LISTED = 1000

/** Reviews as rows. Call it by `read` and `write` of the history. */
export class ReviewRows {
  readonly #db: Connection
  readonly #statements: ReturnType<typeof prepare>

  constructor(db: Connection) {
    this.#db = db
    this.#statements = prepare(db)
  }

  /** @param request sealed; null where nothing has to be stored */
  insert(review: Review, request: Buffer | null): void {
    const { sessionId, id, owner, connection, type, status, expiresAt } = review
    const columns = [id, owner, connection, type, status, expiresAt, JSON.stringify(review), request]
    this.#statements.insert.run([...columns, sessionId])
    this.#addGroups(review)
  }

  /** @param from the status that it has to have still @returns false when it has another one: nothing has changed */
  update(review: Review, from: ReviewStatus): boolean {
    const { id, status } = review
    return this.#leavingNothing(() => {
      const { changes } = this.#statements.update.run([status, JSON.stringify(review), id, from])
      return changes > 0
    })
  }

  /** Nobody needs what was to run any more. */
  dropRequest(id: string): void {
    this.#leavingNothing(() => this.#statements.dropRequest.run([id]))
  }

  /** @param id of the review or of its session */
  find(id: string): Review | undefined {
    const found = this.#statements.find.get([id, id]) as [string] | undefined
    return found && reviewOf(found[0])
  }

  /** What is to run, sealed. */
  request(id: string): Buffer | undefined {
    return (this.#statements.request.get([id]) as [Buffer | null] | undefined)?.[0] ?? undefined
  }

  /** Newest first. */
  list(viewer: ReviewViewer): Review[] {
    const { all, concerning } = this.#statements
    return viewer === undefined
      ? reviewsIn(all.all([LISTED]))
      : reviewsIn(concerning.all([viewer.name, JSON.stringify(viewer.groups), LISTED]))
  }

  waitingOf(owner: string): Waiting {
    const [reviews, bytes] = this.#statements.waitingOf.get([owner]) as [number, number]
    return { reviews, bytes }
  }

  /** What waits for people or for its run, and should have ended before this time. */
  due(before: number): Review[] {
    return reviewsIn(this.#statements.due.all([before]))
  }

  /** Approved access to terminals. */
  accessOf(owner: string, connection: string): Review[] {
    return reviewsIn(this.#statements.accessOf.all([owner, connection]))
  }

  processing(): Review[] {
    return reviewsIn(this.#statements.processing.all([]))
  }

  /**
   * Overwrites pages that become free. A row that changes its length moves, and the old copy of a sealed request would
   * stay in the file until something else takes its pages.
   */
  #leavingNothing<T>(write: () => T): T {
    this.#db.exec('PRAGMA secure_delete = ON')
    try {
      return write()
    } finally {
      this.#db.exec('PRAGMA secure_delete = OFF')
    }
  }

  #addGroups({ id, groups, forceGroups }: Review): void {
    const names = new Set([...groups.map(({ group }) => group), ...forceGroups])
    for (const name of names) this.#statements.addGroup.run([name, id])
  }
}

/** JSON that `insert` or `update` wrote from the same type. */
export function reviewOf(record: string): Review {
  return JSON.parse(record) as Review
}

function reviewsIn(rows: readonly unknown[]): Review[] {
  return (rows as [string][]).map(([record]) => reviewOf(record))
}

function prepare(db: Connection) {
  const reading = (sql: string): SqlStatement => db.prepare(sql).raw()
  return {
    insert:
      db.prepare(`INSERT INTO reviews (session, id, owner, connection, type, status, expires_at, record, request)
                        SELECT key, ?, ?, ?, ?, ?, ?, ?, ? FROM sessions WHERE id = ?`),
    addGroup: db.prepare(`INSERT OR IGNORE INTO review_groups (name, session)
                          SELECT ?, session FROM reviews WHERE id = ?`),
    update: db.prepare('UPDATE reviews SET status = ?, record = ? WHERE id = ? AND status = ?'),
    dropRequest: db.prepare('UPDATE reviews SET request = NULL WHERE id = ?'),
    find: reading(`SELECT record FROM reviews
                   WHERE id = ? OR session = (SELECT key FROM sessions WHERE id = ?)`),
    request: reading('SELECT request FROM reviews WHERE id = ?'),
    all: reading('SELECT record FROM reviews ORDER BY session DESC LIMIT ?'),
    concerning: reading(`SELECT record FROM reviews
                         WHERE owner = ? OR session IN (SELECT session FROM review_groups
                                                        WHERE name IN (SELECT value FROM json_each(?)))
                         ORDER BY session DESC LIMIT ?`),
    waitingOf: reading(`SELECT count(*), coalesce(sum(length(request)), 0) FROM reviews
                        WHERE owner = ? AND (status = 'PENDING' OR status = 'APPROVED' AND type = 'onetime')`),
    due: reading(`SELECT record FROM reviews
                  WHERE (status = 'PENDING' OR status = 'APPROVED' AND type = 'onetime') AND expires_at < ?
                  LIMIT 1000`),
    accessOf: reading(`SELECT record FROM reviews
                       WHERE owner = ? AND status = 'APPROVED' AND connection = ? AND type = 'jit'
                       ORDER BY session DESC LIMIT 100`),
    processing: reading(`SELECT record FROM reviews WHERE status = 'PROCESSING'`),
  }
}
