import type { Room } from '../store/room.ts'
import type { Connection, SqlStatement } from '../store/sqlite.ts'

/** SQL for the fields of a session, from its row `new`. It sends no script, output, metadata or variables. */
const SESSION = `'id', new.id, 'user_id', new.user, 'user_email', new.user, 'connection', new.connection,
  'connection_type', new.connection_type, 'verb', json_extract(new.request, '$.verb'),
  'origin', json_extract(new.request, '$.origin'),
  'runbook', substr(json_extract(new.request, '$.labels.runbookFile'), 1, 500),
  'schedule', json_extract(new.request, '$.labels.runbookSchedule'),
  'session_batch_id', substr(new.batch_id, 1, 255), 'correlation_id', new.correlation_id,
  'started_at', new.started_at, 'ended_at', new.ended_at, 'exit_code', new.exit_code,
  'review', (SELECT json_object('id', id, 'type', type, 'status', status, 'owner_email', owner)
             FROM reviews WHERE session = new.key)`
/**
 * SQL for the fields of a session and its review.
 * @param more SQL for more fields of the review
 * @param record SQL of the review's record
 */
const review = (
  more = '',
  record = 'new.record',
) => `'id', s.id, 'user_id', s.user, 'user_email', s.user, 'connection', s.connection,
  'connection_type', s.connection_type, 'verb', json_extract(s.request, '$.verb'),
  'origin', json_extract(s.request, '$.origin'),
  'runbook', substr(json_extract(s.request, '$.labels.runbookFile'), 1, 500),
  'schedule', json_extract(s.request, '$.labels.runbookSchedule'),
  'session_batch_id', substr(s.batch_id, 1, 255), 'correlation_id', s.correlation_id,
  'started_at', s.started_at,
  'review', json_object('id', new.id, 'type', new.type, 'status', new.status, 'owner_email', new.owner,
    'reason', substr(json_extract(${record}, '$.rejectionReason'), 1, 500),
    'groups', (SELECT json_group_array(json_object('group', json_extract(value, '$.group'),
                 'status', json_extract(value, '$.status'), 'reviewed_by', json_extract(value, '$.reviewedBy')))
               FROM json_each(${record}, '$.groups'))${more})`

/** Inserts a message for each webhook of the event, in the transaction of the event itself. */
const message = (event: string, at: string, facts: string, from = '') => `
  INSERT INTO webhook_messages (id, webhook, event, at, facts)
    SELECT 'msg_' || lower(hex(randomblob(16))), w.webhook, w.event, ${at}, json_object(${facts})
    FROM webhook_subscriptions w ${from}
    WHERE w.event = ${event} AND w.connection IN ('', ${from === '' ? 'new' : 's'}.connection);`
const NOW = `CAST(unixepoch('subsec') * 1000 AS INTEGER)`
const OF_SESSION = 'JOIN sessions s ON s.key = new.session'

/** @param which SQL of a further condition */
const sessionTrigger = (ofSession: string, which = '') => `
  CREATE TRIGGER history.webhook_messages_of_sessions AFTER UPDATE OF status ON sessions
    WHEN old.status = 'open' AND new.status = 'done'${which} AND NOT EXISTS (SELECT 1 FROM reviews
      WHERE session = new.key AND (status = 'REJECTED' OR (status = 'REVOKED' AND type = 'onetime')))
  BEGIN ${message(`CASE WHEN new.exit_code = 0 THEN 'session.finished' ELSE 'session.failed' END`, 'new.ended_at', ofSession)}
  END;`

const triggers = (ofSession: string, ofReview: string, from = OF_SESSION) => `${sessionTrigger(ofSession)}
  CREATE TRIGGER history.webhook_messages_of_new_reviews AFTER INSERT ON reviews WHEN new.status = 'PENDING'
  BEGIN ${message(`'review.waiting'`, NOW, ofReview, from)}
  END;
  CREATE TRIGGER history.webhook_messages_of_decisions AFTER UPDATE OF status ON reviews
    WHEN new.status <> old.status AND new.status IN ('APPROVED', 'REJECTED', 'REVOKED')
  BEGIN ${message(`CASE new.status WHEN 'APPROVED' THEN 'review.approved' ELSE 'review.rejected' END`, NOW, ofReview, from)}
  END;`

/**
 * Triggers write the messages, so that no message is lost when the gateway ends. An event writes messages
 * only if it has a row in `webhook_subscriptions`. An empty connection in such a row means all connections.
 * If a review is rejected, or a one-time review is revoked, the review writes a message, and the end of its
 * session writes none.
 */
const VERSION_16 = `
  CREATE TABLE history.webhook_subscriptions (
    event TEXT NOT NULL,
    webhook TEXT NOT NULL,
    connection TEXT NOT NULL,
    PRIMARY KEY (event, webhook, connection)
  ) WITHOUT ROWID;
  CREATE TABLE history.webhook_messages (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    webhook TEXT NOT NULL,
    event TEXT NOT NULL,
    at INTEGER NOT NULL,
    facts TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    due_at INTEGER NOT NULL DEFAULT 0,
    error TEXT
  );
  CREATE INDEX history.webhook_messages_due ON webhook_messages (webhook, due_at);
  CREATE TABLE history.webhook_states (
    name TEXT PRIMARY KEY,
    url_sha256 TEXT NOT NULL,
    delivered INTEGER NOT NULL DEFAULT 0,
    dropped INTEGER NOT NULL DEFAULT 0,
    delivered_at INTEGER,
    disabled_at INTEGER,
    error TEXT,
    error_at INTEGER
  ) WITHOUT ROWID;
${triggers(SESSION, review())}`

/** Connections of a batch in their order, or null if the review is for one session. */
const batch = (
  record: string,
) => `, 'batch', json(CASE WHEN json_type(${record}, '$.batch') = 'object' THEN json_object(
    'id', json_extract(${record}, '$.batch.id'),
    'connections', (SELECT json_group_array(c.value)
                    FROM json_each(${record}, '$.batch.waves') w, json_each(w.value) c)) END)`

const DROP = `
  DROP TRIGGER history.webhook_messages_of_sessions;
  DROP TRIGGER history.webhook_messages_of_new_reviews;
  DROP TRIGGER history.webhook_messages_of_decisions;`

/**
 * `cause` is JSON with the reason of a session's end and the user who has ended it. Messages now contain
 * `cause`, and the connections of a batch.
 */
const VERSION_20 = `
  ALTER TABLE history.sessions ADD COLUMN cause TEXT;${DROP}${triggers(`${SESSION}, 'cause', json(new.cause)`, review(batch('new.record')))}`

const SESSION_WITH_TIMES = `${SESSION}, 'cause', json(new.cause), 'began_at', new.began_at, 'approved_at',
      (SELECT json_extract(record, '$.approvedAt') FROM reviews WHERE session = new.key)`
const reviewWithTimes = (record: string) =>
  `${review(batch(record), record)}, 'approved_at', json_extract(${record}, '$.approvedAt')`

/** Messages now contain when the session was approved, and when its command began. */
const VERSION_24 = `${DROP}${triggers(SESSION_WITH_TIMES, reviewWithTimes('new.record'))}`

const WITH_WHOLE_REVIEW = `${OF_SESSION} JOIN (SELECT coalesce(
      (SELECT record FROM whole_reviews WHERE session = new.session), new.record) AS record) r`

/** A row of reviews now has a short record if the whole one is long. Messages need the whole one. */
const VERSION_30 = `${DROP}${triggers(SESSION_WITH_TIMES, reviewWithTimes('r.record'), WITH_WHOLE_REVIEW)}`

const reasonIn = (request: string) => `, 'reason', json_extract(${request}, '$.reason')`

/** Messages now contain why the user asked. */
const VERSION_31 = `${DROP}${triggers(
  SESSION_WITH_TIMES + reasonIn('new.request'),
  reviewWithTimes('r.record') + reasonIn('s.request'),
  WITH_WHOLE_REVIEW,
)}`

/** The end of a session that reads a list of choices is no event. */
const VERSION_33 = `
  DROP TRIGGER history.webhook_messages_of_sessions;${sessionTrigger(
    SESSION_WITH_TIMES + reasonIn('new.request'),
    " AND new.kind <> 'list'",
  )}`

/** A message that is not delivered yet. All times are in ms since 1970. */
export interface WaitingMessage {
  /** Does not change from attempt to attempt. */
  readonly id: string
  readonly event: string
  readonly at: number
  /** JSON. */
  readonly facts: string
  /** Number of failed attempts. */
  readonly attempts: number
  readonly dueAt: number
  /** Reason of the last failure. */
  readonly error: string | null
}

export interface WebhookState {
  readonly name: string
  readonly urlSha256: string
  readonly delivered: number
  /** Messages that were given up, because they were too old or too many. */
  readonly dropped: number
  readonly deliveredAt: number | null
  /** Time at which the receiver answered 410 Gone. */
  readonly disabledAt: number | null
  readonly error: string | null
  readonly errorAt: number | null
}

/** An empty connection stands for all connections. */
interface Subscription {
  readonly webhook: string
  readonly event: string
  readonly connection: string
}

/** For use only within `read` and `write` of the history. */
export class WebhookRows {
  readonly #statements: ReturnType<typeof prepare>

  constructor(db: Connection) {
    this.#statements = prepare(db)
  }

  /** Replaces the subscriptions. From now on only their events create messages. */
  subscribe(subscriptions: readonly Subscription[]): void {
    this.#statements.unsubscribe.run([])
    for (const { event, webhook, connection } of subscriptions)
      this.#statements.subscribe.run([event, webhook, connection])
  }

  states(): WebhookState[] {
    type Columns = [
      string,
      string,
      number,
      number,
      number | null,
      number | null,
      string | null,
      number | null,
    ]
    return (this.#statements.states.all([]) as Columns[]).map(
      ([name, urlSha256, delivered, dropped, deliveredAt, disabledAt, error, errorAt]) => ({
        name,
        urlSha256,
        delivered,
        dropped,
        deliveredAt,
        disabledAt,
        error,
        errorAt,
      }),
    )
  }

  /** Makes a new state for a webhook that is new, or whose URL has changed. */
  begin(name: string, urlSha256: string): void {
    this.#statements.begin.run([name, urlSha256])
  }

  forget(name: string): void {
    this.#statements.forget.run([name])
    this.#statements.clear.run([name])
  }

  /** @param horizon a message with a later due time is due at once, because a wrong clock has set the time */
  due(webhook: string, now: number, horizon: number, limit: number): WaitingMessage[] {
    return this.#statements.due.all([webhook, now, horizon, limit]).map(toMessage)
  }

  /** The oldest message is the first. */
  waiting(webhook: string, limit: number): WaitingMessage[] {
    return this.#statements.waiting.all([webhook, limit]).map(toMessage)
  }

  count(webhook: string): number {
    return (this.#statements.count.get([webhook]) as [number])[0]
  }

  waitingInAll(): number {
    return (this.#statements.countAll.get([]) as [number])[0]
  }

  delivered(webhook: string, id: string, at: number): void {
    this.#statements.remove.run([id])
    this.#statements.delivered.run([at, webhook])
  }

  retry(webhook: string, id: string, dueAt: number, error: string, at: number): void {
    this.#statements.retry.run([Math.round(dueAt), error, id])
    this.#statements.failed.run([error, at, webhook])
  }

  giveUp(webhook: string, id: string): void {
    this.#statements.remove.run([id])
    this.#statements.dropped.run([1, webhook])
  }

  /** Removes the oldest messages beyond `most`. @returns the number of removed messages */
  trim(webhook: string, most: number): number {
    const { changes } = this.#statements.trim.run([webhook, most])
    this.#statements.dropped.run([changes, webhook])
    return changes
  }

  disable(webhook: string, at: number, error: string): void {
    this.#statements.dropped.run([this.count(webhook), webhook])
    this.#statements.clear.run([webhook])
    this.#statements.disable.run([at, error, at, webhook])
  }

  enable(webhook: string): void {
    this.#statements.enable.run([webhook])
  }
}

function toMessage(row: unknown): WaitingMessage {
  const [id, event, at, facts, attempts, dueAt, error] = row as [
    ...[string, string, number, string, number, number],
    string | null,
  ]
  return { id, event, at, facts, attempts, dueAt, error }
}

const MESSAGE = 'id, event, at, facts, attempts, due_at, error FROM webhook_messages'

function prepare(db: Connection) {
  const reading = (sql: string): SqlStatement => db.prepare(sql).raw()
  return {
    unsubscribe: db.prepare('DELETE FROM webhook_subscriptions'),
    subscribe: db.prepare(
      'INSERT OR IGNORE INTO webhook_subscriptions (event, webhook, connection) VALUES (?, ?, ?)',
    ),
    states: reading(`SELECT name, url_sha256, delivered, dropped, delivered_at, disabled_at, error, error_at
                     FROM webhook_states`),
    begin: db.prepare('INSERT OR REPLACE INTO webhook_states (name, url_sha256) VALUES (?, ?)'),
    forget: db.prepare('DELETE FROM webhook_states WHERE name = ?'),
    clear: db.prepare('DELETE FROM webhook_messages WHERE webhook = ?'),
    due: reading(`SELECT ${MESSAGE} WHERE webhook = ? AND (due_at <= ? OR due_at > ?)
                  ORDER BY due_at, key LIMIT ?`),
    waiting: reading(`SELECT ${MESSAGE} WHERE webhook = ? ORDER BY key LIMIT ?`),
    countAll: reading('SELECT count(*) FROM webhook_messages'),
    count: reading('SELECT count(*) FROM webhook_messages WHERE webhook = ?'),
    remove: db.prepare('DELETE FROM webhook_messages WHERE id = ?'),
    delivered: db.prepare(
      'UPDATE webhook_states SET delivered = delivered + 1, delivered_at = ? WHERE name = ?',
    ),
    retry: db.prepare(
      'UPDATE webhook_messages SET attempts = attempts + 1, due_at = ?, error = ? WHERE id = ?',
    ),
    failed: db.prepare('UPDATE webhook_states SET error = ?, error_at = ? WHERE name = ?'),
    dropped: db.prepare('UPDATE webhook_states SET dropped = dropped + ? WHERE name = ?'),
    trim: db.prepare(`DELETE FROM webhook_messages WHERE key IN
                        (SELECT key FROM webhook_messages WHERE webhook = ? ORDER BY key DESC LIMIT -1 OFFSET ?)`),
    disable: db.prepare('UPDATE webhook_states SET disabled_at = ?, error = ?, error_at = ? WHERE name = ?'),
    enable: db.prepare('UPDATE webhook_states SET disabled_at = NULL WHERE name = ?'),
  }
}

declare module '../store/room.ts' {
  interface Tables {
    readonly webhooks: WebhookRows
  }
}

export const webhookRoom: Room<WebhookRows> = {
  rows: (db) => new WebhookRows(db),
  steps: { 16: VERSION_16, 20: VERSION_20, 24: VERSION_24, 30: VERSION_30, 31: VERSION_31, 33: VERSION_33 },
  json: { webhook_messages: ['facts'] },
}
