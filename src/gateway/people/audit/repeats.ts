import type { AuditFacts } from './entry.ts'

const WINDOW_MS = 10 * 60 * 1000
/** Above it the oldest is forgotten: then it is noted once more. */
const MOST = 10_000

/** Commands and pages look at the same thing every second. */
export class Repeats {
  /** When each was noted, the oldest first. */
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
    if (this.#noted.size > MOST && oldest !== undefined) this.#noted.delete(oldest)
    return true
  }
}
