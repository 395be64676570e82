import type { Logger } from '../../../basics/logger.ts'
import type { History } from '../../history/history.ts'
import { refused, RequestRefused } from '../../refusals/request-refused.ts'
import { HistoryError, isLocked } from '../../store/errors.ts'
import { callerNetwork } from '../identities/sign-in-attempts.ts'
import type { AuditRows } from './audit-rows.ts'
import { auditFacts, type AuditFacts, type AuditHead } from '../../../contract/audit-entry.ts'

/** Period in which counts are written and old entries are removed. */
const PASS_MS = 60_000
/**
 * Maximum number of entries that one pass removes, which makes 720,000 in a day. A pass blocks the gateway
 * for some milliseconds.
 */
const REMOVED_AT_ONCE = 500
const DAY_MS = 24 * 60 * 60 * 1000
/** Maximum number of entries of one user or address in ten minutes (some 6 MB). New sessions do not count. */
const MAX_ENTRIES_PER_CALLER = 10_000

/**
 * Records views, changes and decisions in a chain of hashes. An entry about a change or a decision is written
 * and synced before the change happens. If the write fails, the change does not happen. Entries that cannot
 * be written, or that exceed a user's share, are only counted. A later entry has their number.
 */
export class AuditLog {
  readonly #history: History
  readonly #retainMs: () => number
  readonly #log: Logger
  readonly #gap = new Gap()
  readonly #repeats = new Repeats()
  readonly #signIns = new Shares(1)
  readonly #shares: Shares
  readonly #timer: NodeJS.Timeout
  #headToldAt = -Infinity

  /** @param retainMs age above which entries are removed */
  constructor(history: History, retainMs: () => number, log: Logger, mostOfOne = MAX_ENTRIES_PER_CALLER) {
    this.#shares = new Shares(mostOfOne)
    this.#history = history
    this.#retainMs = retainMs
    this.#log = log
    this.#timer = setInterval(() => this.#pass(), PASS_MS).unref()
    this.#tellHead()
  }

  /**
   * Writes an entry before a change.
   * @returns the sequence of the entry
   * @throws HistoryError, RequestRefused. After an error, the change must not happen.
   */
  announce(facts: AuditFacts): number {
    const name = callerKey(facts)
    if (!this.#hasRoom(name)) throw tooMuch(name)
    const sequence = this.#history.write(({ audit }) => this.#append(audit, { ...facts, stage: 'asked' }))
    this.#gap.close()
    return sequence
  }

  /**
   * Announces a change that must happen even if the entry cannot be written.
   * @returns the sequence of the entry; undefined if the entry is only counted
   */
  announceAnyway(facts: AuditFacts): number | undefined {
    try {
      return this.#counting(() => this.announce(facts))
    } catch (error) {
      if (error instanceof RequestRefused) return undefined
      throw error
    }
  }

  /** Writes the outcome of an announced change, and syncs it. */
  conclude(facts: AuditFacts, asked: number): void {
    this.#later(() => this.#history.write(({ audit }) => this.#append(audit, { ...facts, asked })))
  }

  /** Writes an entry. The entry survives the end of this process, but a power failure may lose it. */
  note(facts: AuditFacts): void {
    if (this.#hasRoom(callerKey(facts))) this.#note(facts)
  }

  /** Skips an event if an equal event was noted in the last ten minutes. */
  noteOnce(facts: AuditFacts): void {
    if (this.#repeats.isNew(facts)) this.note(facts)
  }

  /**
   * Writes an entry for the first failure of an address. Only counts further failures of this address for ten
   * minutes. An IPv6 address counts as its /64 network, because one caller can use the whole network.
   */
  failedSignIn(address: string, more: Partial<AuditFacts> = {}): void {
    const network = callerNetwork(address)
    if (this.#signIns.take(network)) this.#note({ ...failed(address, 1), ...more })
    else this.#signIns.leaveOut(network)
  }

  get head(): AuditHead {
    return this.#history.read(({ audit }) => audit.head())
  }

  /** Writes all counts, and logs the newest hash. */
  close(): void {
    clearInterval(this.#timer)
    this.#noteCounted(true)
    this.#headToldAt = -Infinity
    this.#tellHead()
  }

  #pass(): void {
    this.#noteCounted(false)
    this.#removeOldEntries()
    this.#tellHead()
  }

  #removeOldEntries(): void {
    const before = new Date(this.#history.clock.trusted - this.#retainMs())
    const removed = this.#trying(() =>
      this.#history.write(({ audit }) => audit.removeOldEntries(before, REMOVED_AT_ONCE)),
    )
    if (removed !== undefined && removed > 0)
      this.#log.info({ entries: removed }, 'old entries removed from the audit log')
  }

  /**
   * Logs the newest hash once a day. If the logs are stored elsewhere, an operator can compare the hash and
   * see whether the audit log was rewritten.
   */
  #tellHead(): void {
    const now = performance.now()
    if (now - this.#headToldAt < DAY_MS) return
    const head = this.#trying(() => this.head)
    if (head === undefined) return
    this.#headToldAt = now
    this.#log.info({ ...head }, 'newest entry of the audit log')
  }

  #trying<T>(work: () => T): T | undefined {
    try {
      return work()
    } catch (error) {
      if (!(error instanceof HistoryError)) throw error
      this.#log.error({ error: error.message }, 'cannot read or write the audit log; will retry')
      return undefined
    }
  }

  #noteCounted(isAll: boolean): void {
    for (const { name, entries } of this.#signIns.over(isAll)) this.#note(failed(name, entries))
    for (const { name, entries } of this.#shares.over(isAll)) this.#note(beyond(name, entries))
  }

  /**
   * Takes one entry from the share of this name. If the share is used up, counts the entry as left out. The
   * gateway's own entries have no limit.
   */
  #hasRoom(name: string): boolean {
    if (name === '' || this.#shares.take(name)) return true
    this.#shares.leaveOut(name)
    return false
  }

  #note(facts: AuditFacts): void {
    this.#later(() => this.#history.note(({ audit }) => this.#append(audit, facts)))
  }

  /** Writes at once, or after the lock of another program. Counts an entry that cannot be written. */
  #later(write: () => number): void {
    const attempt = () => {
      try {
        write()
        this.#gap.close()
      } catch (error) {
        if (error instanceof HistoryError && isLocked(error)) throw error
        this.#count(error)
      }
    }
    this.#history.patiently(attempt).catch((error: unknown) => this.#count(error))
  }

  #append(audit: AuditRows, facts: AuditFacts): number {
    const missing = this.#gap.facts()
    if (missing !== undefined) audit.append(missing)
    return audit.append(facts).sequence
  }

  #counting<T>(write: () => T): T | undefined {
    try {
      const written = write()
      this.#gap.close()
      return written
    } catch (error) {
      this.#count(error)
      return undefined
    }
  }

  /** @throws an error that is not of the history */
  #count(error: unknown): void {
    if (!(error instanceof HistoryError)) throw error
    const isFirst = this.#gap.add()
    if (isFirst) this.#log.error({ error: error.message }, 'audit log: an entry could not be written')
  }
}

/** Returns the name whose share the entry takes. */
function callerKey({ actor, client_ip: address }: AuditFacts): string {
  return actor || callerNetwork(address)
}

function beyond(name: string, entries: number): AuditFacts {
  const what = { action: 'gap', resource_type: 'audit', resource_id: name } as const
  return auditFacts({ ...what, outcome: false, request_payload_redacted: { left_out: entries } })
}

function failed(address: string, attempts: number): AuditFacts {
  const what = { action: 'sign-in', resource_type: 'users', client_ip: address } as const
  return auditFacts({ ...what, outcome: false, request_payload_redacted: { attempts } })
}

interface Missing {
  readonly entries: number
  readonly since: Date
}

/** Counts entries that could not be written. */
class Gap {
  #missing: Missing | undefined

  /** @returns true if this is the first missing entry */
  add(): boolean {
    const { entries, since } = this.#missing ?? { entries: 0, since: new Date() }
    this.#missing = { entries: entries + 1, since }
    return entries === 0
  }

  /** Returns the entry that tells how many entries are missing; undefined if none is missing. */
  facts(): AuditFacts | undefined {
    if (this.#missing === undefined) return undefined
    const { entries, since } = this.#missing
    return auditFacts({
      action: 'gap',
      resource_type: 'audit',
      outcome: false,
      request_payload_redacted: { missing_entries: entries, since: since.toISOString() },
    })
  }

  /** Call this after the number of missing entries was written. */
  close(): void {
    this.#missing = undefined
  }
}

const WINDOW_MS = 10 * 60 * 1000
/** Maximum number of names with their own share. All further names share one, `MANY`. */
const MAX_NAMES = 10_000
const MANY = 'others'

interface Share {
  entries: number
  leftOut: number
  readonly since: number
}

interface LeftOut {
  readonly name: string
  readonly entries: number
}

/**
 * Limits the entries per user or address in ten minutes, so that nobody can fill the log. Further entries are
 * only counted.
 */
export class Shares {
  readonly #most: number
  readonly #shares = new Map<string, Share>()

  constructor(most: number) {
    this.#most = most
  }

  /** @returns false when the share is used up */
  take(name: string): boolean {
    const share = this.#shareOf(name)
    if (share.entries >= this.#most) return false
    share.entries += 1
    return true
  }

  leaveOut(name: string): void {
    this.#shareOf(name).leftOut += 1
  }

  /**
   * Removes the shares whose time is over. Yields for each share the number of entries that were left out.
   */
  *over(isAll: boolean): Generator<LeftOut> {
    const now = performance.now()
    for (const [name, { leftOut, since }] of this.#shares) {
      if (!isAll && now - since < WINDOW_MS) continue
      this.#shares.delete(name)
      if (leftOut > 0) yield { name, entries: leftOut }
    }
  }

  #shareOf(asked: string): Share {
    const name = this.#shares.has(asked) || this.#shares.size < MAX_NAMES ? asked : MANY
    const share = this.#shares.get(name) ?? { entries: 0, leftOut: 0, since: performance.now() }
    this.#shares.set(name, share)
    return share
  }
}

/**
 * Maximum number of remembered events. If there are more, the oldest event is forgotten, and may be noted
 * again.
 */
const MAX_REPEATS = 10_000

/** Finds repeated events, because commands and pages send the same request every second. */
export class Repeats {
  /** Time at which each event was noted. The oldest event is first. */
  readonly #noted = new Map<string, number>()

  isNew(facts: AuditFacts): boolean {
    const { actor, action, http_method, http_path, http_status, client_ip, error_message } = facts
    const key = JSON.stringify([actor, action, http_method, http_path, http_status, client_ip, error_message])
    const now = performance.now()
    const before = this.#noted.get(key)
    if (before !== undefined && now - before < WINDOW_MS) return false
    this.#noted.delete(key)
    this.#noted.set(key, now)
    const [oldest] = this.#noted.keys()
    if (this.#noted.size > MAX_REPEATS && oldest !== undefined) this.#noted.delete(oldest)
    return true
  }
}

/** Makes the error for a change that is refused before anything has changed. */
function tooMuch(name: string): RequestRefused {
  return refused('too-much-at-once/changes', { name })
}
