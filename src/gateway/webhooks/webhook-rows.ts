import type { Room } from '../store/room.ts'
import type { Connection, SqlStatement } from '../store/sqlite.ts'
import { VERSION_16, VERSION_20 } from './webhook-schema.ts'

/** A message that waits. Times are in ms since 1970. */
export interface WaitingMessage {
  /** The same at every attempt. */
  readonly id: string
  readonly event: string
  readonly at: number
  /** JSON. */
  readonly facts: string
  /** That have failed. */
  readonly attempts: number
  readonly dueAt: number
  /** Why the last one has failed. */
  readonly error: string | null
}

export interface WebhookState {
  readonly name: string
  readonly urlSha256: string
  readonly delivered: number
  /** Given up: too old, or too many waited. */
  readonly dropped: number
  readonly deliveredAt: number | null
  /** The receiver has said that it is gone. */
  readonly disabledAt: number | null
  readonly error: string | null
  readonly errorAt: number | null
}

/** Which events go to which webhook; an empty connection stands for all. */
export interface Subscription {
  readonly webhook: string
  readonly event: string
  readonly connection: string
}

/** Messages as rows; triggers write them (webhook-schema.ts). Call it by `read` and `write` of the history. */
export class WebhookRows {
  readonly #statements: ReturnType<typeof prepare>

  constructor(db: Connection) {
    this.#statements = prepare(db)
  }

  /** From now on these events make messages, and no others. */
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
        ...{ name, urlSha256, delivered, dropped, deliveredAt, disabledAt, error, errorAt },
      }),
    )
  }

  /** It is new, or has another url. */
  begin(name: string, urlSha256: string): void {
    this.#statements.begin.run([name, urlSha256])
  }

  /** With its messages. */
  forget(name: string): void {
    this.#statements.forget.run([name])
    this.#statements.clear.run([name])
  }

  /** @param horizon no message waits for longer than until then: what does was put off by a clock that was wrong */
  due(webhook: string, now: number, horizon: number, limit: number): WaitingMessage[] {
    return this.#statements.due.all([webhook, now, horizon, limit]).map(toMessage)
  }

  /** The oldest first. */
  waiting(webhook: string, limit: number): WaitingMessage[] {
    return this.#statements.waiting.all([webhook, limit]).map(toMessage)
  }

  count(webhook: string): number {
    return (this.#statements.count.get([webhook]) as [number])[0]
  }

  /** Messages of all webhooks that wait. */
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

  /** Gives up the oldest beyond so many. @returns how many */
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
  steps: { 16: VERSION_16, 20: VERSION_20 },
  json: { webhook_messages: ['facts'] },
}
