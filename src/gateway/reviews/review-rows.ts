import { approvedAtOf, type ListedReview, type Review, type ReviewStatus } from './review.ts'
import { EXPORTED_BYTES, type SessionPart, type SessionParts, type Waiting } from '../history/rows.ts'
import { ofLostSession } from '../history/session-schema.ts'
import { FactRows } from './fact-rows.ts'
import type { Room } from '../store/room.ts'
import type { Connection, SqlStatement } from '../store/sqlite.ts'
import { HAS_LOST_REQUEST } from '../history/whole-requests.ts'
import { LISTED_PARAMETER, LISTED_REVIEW_BYTES, VERSION_29, WHOLE_RECORD } from './whole-reviews.ts'

interface WaitingReviews {
  readonly reviews: number
  /** Size of the sealed requests. */
  readonly bytes: number
}

/** Users see their own requests and those of their groups. An undefined viewer sees all reviews. */
type ReviewViewer = { readonly name: string; readonly groups: readonly string[] } | undefined

/** Most reviews in a list. A list has the newest reviews. */
const LISTED = 1000

/** For use only within `read` and `write` of the history. */
export class ReviewRows {
  readonly #db: Connection
  readonly facts: FactRows
  readonly #statements: ReturnType<typeof prepare>

  constructor(db: Connection) {
    this.#db = db
    this.facts = new FactRows(db)
    this.#statements = prepare(db)
  }

  /** @param request the sealed request; null if nothing has to be stored */
  insert(review: Review, request: Buffer | null): void {
    const { sessionId, id, owner, connection, type, status, expiresAt } = review
    const record = JSON.stringify(review)
    const columns = [id, owner, connection, type, status, expiresAt, record, request]
    if (isLong(record)) this.#statements.keepWhole.run([record, sessionId])
    this.#statements.insert.run([...columns, sessionId])
    this.#addGroups(review)
  }

  /**
   * @param from status that the review must still have
   * @returns false when the review has another status; then nothing has changed
   */
  update(review: Review, from: ReviewStatus): boolean {
    const { id, sessionId, status } = review
    const { statusOf, forgetWhole, keepWhole, update } = this.#statements
    return this.#leavingNothing(() => {
      if ((statusOf.get([id]) as [string] | undefined)?.[0] !== from) return false
      const record = JSON.stringify(review)
      forgetWhole.run([sessionId])
      if (isLong(record)) keepWhole.run([record, sessionId])
      update.run([status, record, id])
      return true
    })
  }

  dropRequest(id: string): void {
    this.#leavingNothing(() => this.#statements.dropRequest.run([id]))
  }

  /** @param id id of the review or of its session */
  find(id: string): Review | undefined {
    const found = this.#statements.find.get([id, id]) as [string, number] | undefined
    if (found === undefined) return undefined
    const [record, hasLostRequest] = found
    return hasLostRequest === 1 ? { ...reviewOf(record), isIncomplete: true } : reviewOf(record)
  }

  /**
   * Returns the session of the review, and its batch if there is one.
   * @param id id of the review or of its session
   */
  reviewed(id: string): readonly [session: string, batch: string | null] | undefined {
    return this.#statements.reviewed.get([id, id]) as [string, string | null] | undefined
  }

  /** Returns the sealed request. */
  request(id: string): Buffer | undefined {
    return (this.#statements.request.get([id]) as [Buffer | null] | undefined)?.[0] ?? undefined
  }

  /** Lists the newest reviews first. */
  list(viewer: ReviewViewer): ListedReview[] {
    const { all, concerning } = this.#statements
    return viewer === undefined
      ? reviewsIn(all.all([LISTED]))
      : reviewsIn(concerning.all([viewer.name, JSON.stringify(viewer.groups), LISTED]))
  }

  waitingOf(owner: string): WaitingReviews {
    const [reviews, bytes] = this.#statements.waitingOf.get([owner]) as [number, number]
    return { reviews, bytes }
  }

  /** Lists reviews that wait for people or for their run, and have expired before this time. */
  due(before: number): ListedReview[] {
    return reviewsIn(this.#statements.due.all([before]))
  }

  /** Lists approved access to terminals. */
  accessOf(owner: string, connection: string): ListedReview[] {
    return reviewsIn(this.#statements.accessOf.all([owner, connection]))
  }

  /**
   * Yields reviews of the same runbook that have run, at most 50, the last run first; none for a script. They may
   * have been requested later than a review that waits, and not later than a decided one.
   */
  *sameRunbook(id: string): Generator<ListedReview> {
    for (const [record] of this.#statements.sameRunbook.all([id]) as [string][]) yield listedIn(record)
  }

  /**
   * Lists approved reviews that the gateway itself has to run, in the order of their sessions. The list
   * begins after the place `after`.
   */
  automatic(after: number, most: number): { readonly place: number; readonly review: ListedReview }[] {
    const rows = this.#statements.automatic.all([after, most]) as [number, string][]
    return rows.map(([place, record]) => ({ place, review: listedIn(record) }))
  }

  processing(): Review[] {
    return (this.#statements.processing.all([]) as [string][]).map(([record]) => reviewOf(record))
  }

  /**
   * Writes, and overwrites pages that become free. A row moves when its length changes, and the old copy of a
   * sealed request would otherwise stay in the file.
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

function isLong(record: string): boolean {
  return Buffer.byteLength(record) > LISTED_REVIEW_BYTES
}

function reviewOf(record: string): Review {
  const { isShort, ...review } = listedIn(record)
  return isShort === true ? { ...review, isIncomplete: true } : review
}

function listedIn(record: string): ListedReview {
  return JSON.parse(record) as ListedReview
}

function reviewsIn(rows: readonly unknown[]): ListedReview[] {
  return (rows as [string][]).map(([record]) => listedIn(record))
}

function prepare(db: Connection) {
  const reading = (sql: string): SqlStatement => db.prepare(sql).raw()
  return {
    insert:
      db.prepare(`INSERT INTO reviews (session, id, owner, connection, type, status, expires_at, record, request)
                        SELECT key, ?, ?, ?, ?, ?, ?, ${LISTED_PARAMETER}, ? FROM sessions WHERE id = ?`),
    statusOf: reading('SELECT status FROM reviews WHERE id = ?'),
    // The whole record is written first, because triggers on `reviews` (webhook-rows.ts) read it.
    keepWhole: db.prepare('INSERT INTO whole_reviews SELECT key, ? FROM sessions WHERE id = ?'),
    forgetWhole: db.prepare(
      'DELETE FROM whole_reviews WHERE session = (SELECT key FROM sessions WHERE id = ?)',
    ),
    addGroup: db.prepare(`INSERT OR IGNORE INTO review_groups (name, session)
                          SELECT ?, session FROM reviews WHERE id = ?`),
    update: db.prepare(`UPDATE reviews SET status = ?, record = ${LISTED_PARAMETER} WHERE id = ?`),
    dropRequest: db.prepare('UPDATE reviews SET request = NULL WHERE id = ?'),
    find: reading(`SELECT ${WHOLE_RECORD}, EXISTS (
                     SELECT 1 FROM sessions s WHERE s.key = r.session AND ${HAS_LOST_REQUEST}) FROM reviews r
                   WHERE id = ? OR session = (SELECT key FROM sessions WHERE id = ?)`),
    reviewed: reading(`SELECT s.id, CASE WHEN json_valid(r.record) THEN r.record ->> '$.batch.id' END
                       FROM reviews r JOIN sessions s ON s.key = r.session
                       WHERE r.id = ? OR r.session = (SELECT key FROM sessions WHERE id = ?)`),
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
    // The index by runbook comes first: a request may have megabytes, and is read only for its repository.
    sameRunbook: reading(`WITH mine AS MATERIALIZED (
                            SELECT s.key, s.runbook, s.request ->> '$.labels.runbookRepository' AS repository,
                                   r.status = 'PENDING' AS waits
                            FROM reviews r JOIN sessions s ON s.key = r.session WHERE r.id = ?),
                          others AS MATERIALIZED (
                            SELECT s.key, r.record FROM mine JOIN sessions s ON s.runbook = mine.runbook
                            JOIN reviews r ON r.session = s.key AND r.status = 'EXECUTED'
                            WHERE s.key < mine.key OR (mine.waits AND s.key <> mine.key) ORDER BY s.started_at DESC, s.key DESC LIMIT 50)
                          SELECT o.record FROM mine JOIN others o JOIN sessions s ON s.key = o.key
                          WHERE s.request ->> '$.labels.runbookRepository' IS mine.repository
                          ORDER BY o.record ->> '$.claimedAt' DESC, o.key DESC`),
    automatic: reading(`SELECT session, record FROM reviews
                        WHERE status = 'APPROVED' AND session > ? AND json_extract(record, '$.whenApproved')
                        ORDER BY session LIMIT ?`),
    processing: reading(`SELECT ${WHOLE_RECORD} FROM reviews r WHERE status = 'PROCESSING'`),
  }
}

/**
 * `record` is JSON, and the columns before it copy some of its fields. `request` is sealed. It is removed
 * after its run, or when it will never run. Foreign keys are off (sqlite.ts), so a trigger removes the rows
 * of a session.
 */
const VERSION_7 = `
  CREATE TABLE history.reviews (
    session INTEGER PRIMARY KEY REFERENCES sessions (key) ON DELETE CASCADE,
    id TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    connection TEXT NOT NULL,
    type TEXT NOT NULL,
    status TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    record TEXT NOT NULL,
    request BLOB
  );
  CREATE INDEX history.reviews_by_status ON reviews (status, expires_at);
  CREATE INDEX history.reviews_by_owner ON reviews (owner, status);
  CREATE TABLE history.review_groups (
    name TEXT NOT NULL,
    session INTEGER NOT NULL REFERENCES sessions (key) ON DELETE CASCADE,
    PRIMARY KEY (name, session)
  ) WITHOUT ROWID;
  CREATE INDEX history.review_groups_by_session ON review_groups (session);
  CREATE TRIGGER history.reviews_of_removed_sessions AFTER DELETE ON sessions BEGIN
    DELETE FROM reviews WHERE session = old.key;
    DELETE FROM review_groups WHERE session = old.key;
  END;`

declare module '../store/room.ts' {
  interface Tables {
    readonly reviews: ReviewRows
  }
}

export const reviewRoom: Room<ReviewRows> = {
  rows: (db) => new ReviewRows(db),
  steps: { 7: VERSION_7, 29: VERSION_29 },
  watched: { reviews: [], review_groups: [] },
  json: { reviews: ['record'], whole_reviews: ['record'] },
  orphans: { reviews: ofLostSession, review_groups: ofLostSession, whole_reviews: ofLostSession },
}

declare module '../history/session.ts' {
  interface SessionFacts {
    readonly review?: ListedReview
  }
}

const WAITS: Readonly<Partial<Record<ReviewStatus, Waiting>>> = { PENDING: 'people', APPROVED: 'ready' }

/**
 * After a restart of the gateway, only scripts still wait for approval, because the client of a terminal is
 * gone.
 */
export const reviewOfSession: SessionPart<ListedReview> = {
  column: '(SELECT record FROM reviews WHERE session = sessions.key)',
  whole: `(SELECT ${WHOLE_RECORD} FROM reviews r WHERE r.session = sessions.key)`,
  exported: `(SELECT coalesce((SELECT w.record FROM whole_reviews w
    WHERE w.session = r.session AND octet_length(w.record) <= ${EXPORTED_BYTES}), r.record)
    FROM reviews r WHERE r.session = sessions.key)`,
  read: (json) => {
    const review = listedIn(json)
    const waits = review.type === 'onetime' ? WAITS[review.status] : undefined
    // The client of a terminal opens it as soon as it is approved.
    const ranAt = review.type === 'onetime' ? review.claimedAt : approvedAtOf(review)
    return { fact: review, waits, ranAt }
  },
}

/** The parameter is a JSON list of groups. */
const REVIEWED_BY = 'SELECT session FROM review_groups WHERE name IN (SELECT value FROM json_each(?))'

export const REVIEW_FILTERS = {
  // `viewer` is the user who reads the list; `user` is the user whose sessions are searched.
  viewer: `(user = ? OR key IN (${REVIEWED_BY}))`,
  // The `+` keeps SQLite from using the indexes of these columns. A team may see most sessions, and then the
  // list's own index fills a page faster.
  teamViewer: `(+user = ? OR +key IN (${REVIEWED_BY}) OR +connection IN (SELECT value FROM json_each(?))
    OR (+connection IN (SELECT value FROM json_each(?)) AND +user IN (SELECT value FROM json_each(?))))`,
  reviewGroups: `key IN (${REVIEWED_BY})`,
  openOutcome: `coalesce((SELECT CASE WHEN status = 'PENDING' THEN 'waiting'
    WHEN status = 'APPROVED' AND type = 'onetime' THEN 'approved' END
    FROM reviews WHERE session = sessions.key), 'running')`,
  // A session without a review has an empty review status.
  reviewStatus: "coalesce((SELECT status FROM reviews WHERE session = sessions.key), '')",
} as const satisfies Partial<SessionParts['filters']>

/** Approved access that can still be revoked. The review would be removed with its session. */
export const IS_REVOCABLE = `EXISTS (SELECT 1 FROM reviews WHERE session = sessions.key AND type = 'jit'
  AND status = 'APPROVED' AND json_extract(record, '$.revokeAt') > unixepoch('subsec') * 1000)`
