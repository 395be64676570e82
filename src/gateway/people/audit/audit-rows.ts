import type { NewSession, SessionAsking } from '../../history/session.ts'
import type { Room } from '../../store/room.ts'
import type { Connection, SqlStatement } from '../../store/sqlite.ts'
import {
  NO_HASH,
  nextLink,
  type AuditFacts,
  type AuditHead,
  type AuditLink,
  auditFacts,
} from '../../../contract/audit-entry.ts'

export interface AuditQuery {
  readonly actor?: string | undefined
  readonly resourceType?: string | undefined
  readonly action?: string | undefined
  readonly httpMethod?: string | undefined
  readonly httpPath?: string | undefined
  readonly clientIp?: string | undefined
  readonly httpStatus?: number | undefined
  readonly outcome?: boolean | undefined
  /** True: only views that succeeded. False: all other entries. */
  readonly viewed?: boolean | undefined
  readonly createdAfter?: Date | undefined
  readonly createdBefore?: Date | undefined
  /** Part of the actor. Case does not matter. */
  readonly actorPart?: string | undefined
  /** Part of the subject or the details. Case does not matter. */
  readonly text?: string | undefined
}

interface AuditPage {
  readonly entries: readonly AuditLink[]
  readonly total: number
  /**
   * Number of entries in which the text was searched, if older entries were left out; otherwise undefined.
   */
  readonly textLookedAt: number | undefined
}

/** Maximum number of entries in which a text is searched. The search of one entry takes some microseconds. */
const TEXT_LOOKED_AT = 20_000

const CONDITIONS: Readonly<Record<Exclude<keyof AuditQuery, 'text'>, string>> = {
  actorPart: 'instr(lower(actor), ?) > 0',
  actor: 'actor = ?',
  resourceType: 'resource_type = ?',
  action: 'action = ?',
  httpMethod: 'http_method = ?',
  httpPath: 'http_path = ?',
  clientIp: 'client_ip = ?',
  httpStatus: 'http_status = ?',
  outcome: 'outcome = ?',
  // A refused view is not folded away, because it may be an attack.
  viewed: "(action = 'view' AND outcome = 1) = ?",
  createdAfter: 'created_at >= ?',
  createdBefore: 'created_at <= ?',
}

const TEXTS = [
  'resource_id',
  'http_path',
  'client_ip',
  'claimed_agent',
  'token_name',
  'error_message',
  'request_payload_redacted',
]
  .map((name) => `coalesce(entry ->> '$.${name}', '')`)
  .join(" || ' ' || ")
/**
 * First searches the text of the whole entry. Parses only the entries with a match as JSON, because parsing
 * every entry is slower.
 */
const HAS_TEXT = `((instr(lower(entry), ?) > 0 OR instr(lower(entry), ?) > 0) AND instr(lower(${TEXTS}), ?) > 0)`

/** Hides an entry that was written before a change, if there is an entry with the outcome. */
const SHOWN = `NOT (stage = 'asked' AND EXISTS (SELECT 1 FROM audit_log done WHERE done.asked = audit_log.sequence))`

/**
 * The entries of the audit log. New entries are added at the end, and old entries are removed at the
 * beginning. Use this class only in `read` and `write` of the history.
 */
export class AuditRows {
  readonly #db: Connection
  readonly #statements: ReturnType<typeof prepare>

  constructor(db: Connection) {
    this.#db = db
    this.#statements = prepare(db)
  }

  append(facts: AuditFacts): AuditLink {
    const link = nextLink(this.head(), facts, new Date())
    this.#statements.append.run([link.sequence, link.text, link.hash])
    return link
  }

  /**
   * Returns the place of the newest entry. If no entry is left, returns the place of the last removed entry.
   */
  head(): AuditHead {
    const found = this.#statements.head.get([]) as [number, string] | undefined
    if (found === undefined) return this.anchor()
    const [sequence, hash] = found
    return { sequence, hash }
  }

  /** Returns the place of the last removed entry, which comes before the first entry. */
  anchor(): AuditHead {
    const found = this.#statements.anchor.get([]) as [number, string] | undefined
    const [sequence, hash] = found ?? [0, NO_HASH]
    return { sequence, hash }
  }

  /** Returns the oldest entry first. */
  after(sequence: number, most: number): AuditLink[] {
    return links(this.#statements.after.all([sequence, most]))
  }

  /** Returns the newest entry first. */
  find(query: AuditQuery, { offset, limit }: { readonly offset: number; readonly limit: number }): AuditPage {
    const { text, ...columns } = query
    const asked = conditionsOf(columns)
    const listed = `FROM audit_log INDEXED BY audit_log_searched WHERE ${[SHOWN, ...asked.sql].join(' AND ')}`
    if (text === undefined)
      return { ...this.#page(listed, asked.values, offset, limit), textLookedAt: undefined }
    const newest = `SELECT sequence ${listed} ORDER BY sequence DESC LIMIT ${TEXT_LOOKED_AT}`
    const found = `FROM audit_log WHERE sequence IN (${newest}) AND ${HAS_TEXT}`
    const all = this.#count(listed, asked.values)
    const page = this.#page(found, [...asked.values, ...textValues(text)], offset, limit)
    return { ...page, textLookedAt: all > TEXT_LOOKED_AT ? TEXT_LOOKED_AT : undefined }
  }

  /** Returns the number of entries that `find` would list on all pages. */
  count(query: AuditQuery): number {
    return this.find(query, { offset: 0, limit: 0 }).total
  }

  /**
   * Returns the matching entries between two sequence numbers. Always reads the whole range, so that each
   * step takes about the same time.
   * @param query undefined returns all entries, including entries that the list hides
   */
  step(query: AuditQuery | undefined, after: number, until: number): AuditLink[] {
    const { text, ...columns } = query ?? {}
    const asked = conditionsOf(columns)
    const isShown = query === undefined ? [] : [SHOWN]
    const hasText = text === undefined ? [] : [HAS_TEXT]
    const where = ['sequence > ? AND sequence <= ?', ...isShown, ...asked.sql, ...hasText].join(' AND ')
    const sql = `SELECT sequence, entry, hash FROM audit_log NOT INDEXED WHERE ${where} ORDER BY sequence`
    const texts = text === undefined ? [] : textValues(text)
    return links(
      this.#db
        .prepare(sql)
        .raw()
        .all([after, until, ...asked.values, ...texts]),
    )
  }

  #page(found: string, values: Values, offset: number, limit: number): Omit<AuditPage, 'textLookedAt'> {
    const page = `SELECT sequence, entry, hash FROM audit_log
      WHERE sequence IN (SELECT sequence ${found} ORDER BY sequence DESC LIMIT ? OFFSET ?) ORDER BY sequence DESC`
    const rows = this.#db.prepare(page).raw()
    return { entries: links(rows.all([...values, limit, offset])), total: this.#count(found, values) }
  }

  #count(found: string, values: Values): number {
    const [count] = this.#db.prepare(`SELECT count(*) ${found}`).raw().get(values) as [number]
    return count
  }

  /**
   * Removes the oldest entries, and keeps the place of the last removed entry. An entry with a future time
   * was written with a wrong clock. Such an entry is removed together with the entry after it.
   * @returns the number of removed entries
   */
  removeOldEntries(before: Date, most: number): number {
    const [limit, now] = [before.toISOString(), new Date().toISOString()]
    const oldest = this.#statements.oldest.all([most]) as [number, string, string][]
    const kept = oldest.findIndex(([, , createdAt]) => createdAt >= limit && createdAt <= now)
    const passed = kept < 0 ? oldest : oldest.slice(0, kept)
    const removed = passed.slice(0, passed.findLastIndex(([, , createdAt]) => createdAt < limit) + 1)
    const last = removed.at(-1)
    if (last === undefined) return 0
    const [sequence, hash] = last
    this.#statements.setAnchor.run([sequence, hash])
    this.#statements.removeUpTo.run([sequence])
    return removed.length
  }
}

type Bindable = string | number | boolean | Date
type Values = readonly (string | number)[]

function conditionsOf(query: Omit<AuditQuery, 'text'>): {
  readonly sql: readonly string[]
  readonly values: Values
} {
  const { actorPart, ...exact } = query
  const all = { ...exact, actorPart: actorPart === undefined ? undefined : lowerCase(actorPart) }
  const given = Object.entries(all).flatMap(([name, value]) =>
    value === undefined ? [] : [[CONDITIONS[name as keyof typeof CONDITIONS], bound(value)] as const],
  )
  return { sql: given.map(([sql]) => sql), values: given.map(([, value]) => value) }
}

function textValues(text: string): Values {
  const lower = lowerCase(text)
  // Details are JSON inside the entry, so the text is also searched in its escaped form.
  return [lower, JSON.stringify(lower).slice(1, -1), lower]
}

/** Converts only ASCII letters, as SQLite does. */
function lowerCase(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
}

/** Replaces booleans, on which libsql aborts the process. */
function bound(value: Bindable): string | number {
  if (typeof value === 'boolean') return value ? 1 : 0
  return value instanceof Date ? value.toISOString() : value
}

function links(rows: unknown[]): AuditLink[] {
  return (rows as [number, string, string][]).map(([sequence, text, hash]) => ({ sequence, text, hash }))
}

function prepare(db: Connection) {
  const reading = (sql: string): SqlStatement => db.prepare(sql).raw()
  return {
    append: db.prepare('INSERT INTO audit_log (sequence, entry, hash) VALUES (?, ?, ?)'),
    head: reading('SELECT sequence, hash FROM audit_log ORDER BY sequence DESC LIMIT 1'),
    anchor: reading('SELECT sequence, hash FROM audit_anchor'),
    after: reading(
      'SELECT sequence, entry, hash FROM audit_log WHERE sequence > ? ORDER BY sequence LIMIT ?',
    ),
    oldest: reading('SELECT sequence, hash, created_at FROM audit_log ORDER BY sequence LIMIT ?'),
    setAnchor: db.prepare('INSERT OR REPLACE INTO audit_anchor (key, sequence, hash) VALUES (1, ?, ?)'),
    removeUpTo: db.prepare('DELETE FROM audit_log WHERE sequence <= ?'),
  }
}

/**
 * `hash` is the hash of the text in `entry` (src/contract/audit-entry.ts). SQLite generates the columns for searches from
 * this text. So searches show nothing that the chain does not protect. `audit_anchor` is the last removed
 * entry.
 */
const VERSION_15 = `
  CREATE TABLE history.audit_log (
    sequence INTEGER PRIMARY KEY,
    entry TEXT NOT NULL,
    hash TEXT NOT NULL,
    actor TEXT AS (entry ->> '$.actor'),
    resource_type TEXT AS (entry ->> '$.resource_type'),
    action TEXT AS (entry ->> '$.action'),
    http_method TEXT AS (entry ->> '$.http_method'),
    http_path TEXT AS (entry ->> '$.http_path'),
    client_ip TEXT AS (entry ->> '$.client_ip'),
    http_status INTEGER AS (entry ->> '$.http_status'),
    outcome INTEGER AS (entry ->> '$.outcome'),
    created_at TEXT AS (entry ->> '$.created_at'),
    stage TEXT AS (entry ->> '$.stage'),
    asked INTEGER AS (entry ->> '$.asked')
  );
  CREATE INDEX history.audit_log_searched ON audit_log (actor, resource_type, action, http_method, http_path,
    client_ip, http_status, outcome, created_at, stage);
  CREATE INDEX history.audit_log_done ON audit_log (asked) WHERE asked IS NOT NULL;
  CREATE TABLE history.audit_anchor (key INTEGER PRIMARY KEY CHECK (key = 1), sequence INTEGER NOT NULL, hash TEXT NOT NULL);`

declare module '../../store/room.ts' {
  interface Tables {
    readonly audit: AuditRows
  }
}

export const auditRoom: Room<AuditRows> = {
  rows: (db) => new AuditRows(db),
  steps: { 15: VERSION_15 },
  json: { audit_log: ['entry'] },
}

/** Maximum length of a label, which names a file, a repository or a commit. */
const MAX_LABEL = 500

/** Returns the facts about a session for the log, without scripts, arguments and parameters. */
export function sessionFacts(
  session: Pick<NewSession, 'id' | 'user' | 'connection' | 'origin' | 'verb' | 'labels' | 'sessionBatchId'>,
  { clientIp = '', token, waits }: SessionAsking,
): AuditFacts {
  const { id, user, connection, origin, verb, labels, sessionBatchId } = session
  const label = (name: string) => labels[name]?.slice(0, MAX_LABEL).toWellFormed()
  return auditFacts({
    actor: user,
    token_id: token?.id ?? '',
    token_name: token?.name ?? '',
    action: 'execute',
    resource_type: 'sessions',
    resource_id: id,
    client_ip: clientIp,
    request_payload_redacted: {
      connection,
      origin,
      verb,
      runbook: label('runbookFile'),
      repository: label('runbookRepository'),
      schedule: label('runbookSchedule'),
      session_batch_id: sessionBatchId?.slice(0, MAX_LABEL).toWellFormed(),
      waits_for_approval: waits,
    },
  })
}
