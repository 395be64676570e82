import { setTimeout as delay } from 'node:timers/promises'
import { retryPause, type RetryTiming } from '../../basics/retry-pause.ts'
import type { Logger } from '../../basics/logger.ts'
import type { History } from '../history/history.ts'
import { HistoryAttempts } from '../store/attempts.ts'
import { JiraError, type Jira } from './client.ts'
import type { EndedIssue, MoveOutcome } from './issue-rows.ts'

const HOUR_MS = 60 * 60 * 1000

interface MoveTiming extends RetryTiming {
  readonly pollMs: number
  /**
   * The gateway gives up an issue if its session ended longer ago than `ageMs` and `attempts` attempts have
   * failed.
   */
  readonly ageMs: number
  readonly attempts: number
}

const TIMING: MoveTiming = {
  pollMs: 500,
  firstMs: 5000,
  longestMs: 10 * 60 * 1000,
  ageMs: 24 * HOUR_MS,
  // Without this number, the gateway would give up issues at once if the clock jumps ahead.
  attempts: 12,
}
/** Maximum number of parallel moves. If Jira is slow, this limit delays only other moves. */
const AT_ONCE = 4
/**
 * Maximum number of failed issues that wait for a retry. If there are more, the gateway gives up the oldest
 * ones.
 */
const MAX_FAILING_ISSUES = 1000
/** Pause after the result of a move could not be written. After the pause, the move is repeated. */
const REST_MS = 60_000

interface MoveServices {
  /** Returns undefined if gateway.yaml no longer has a site. */
  readonly jira: () => Jira | undefined
  readonly history: History
  readonly log: Logger
}

/**
 * Moves the issues of ended sessions. A query of the history finds these issues. So code that ends a session
 * need not know about issues, and a crash loses no move.
 */
export class IssueMoves {
  readonly #services: MoveServices
  readonly #timing: MoveTiming
  readonly #timer: NodeJS.Timeout
  readonly #attempts: HistoryAttempts
  readonly #over = new AbortController()
  readonly #moving = new Map<string, Promise<void>>()
  #failing = 0

  constructor(services: MoveServices, timing = TIMING) {
    this.#services = services
    this.#attempts = new HistoryAttempts(
      services.log,
      'cannot read or write the Jira issues in the history; will retry',
    )
    this.#timing = timing
    this.#timer = setInterval(() => this.#tick(), timing.pollMs)
  }

  /** Warning for operators; undefined if no move has failed. */
  get warning(): string | undefined {
    const count = this.#failing
    if (count === 0) return undefined
    return `${count} ${count === 1 ? 'issue' : 'issues'} not moved in Jira yet; see the log`
  }

  /** Settles when no move uses the history any more. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#over.abort()
    await Promise.all(this.#moving.values())
  }

  #tick(): void {
    const found = this.#attempts.try(() => {
      const { history } = this.#services
      const issues = history.read(({ issues }) => issues.ended(Date.now(), AT_ONCE + this.#moving.size))
      this.#failing = history.read(({ issues }) => issues.failing())
      return issues
    })
    const next = (found ?? []).filter(({ session }) => !this.#moving.has(session))
    for (const issue of next.slice(0, AT_ONCE - this.#moving.size)) this.#start(issue)
  }

  #start(issue: EndedIssue): void {
    const { session } = issue
    const moved = this.#move(issue).finally(() => this.#moving.delete(session))
    this.#moving.set(session, moved)
  }

  /** Never rejects. */
  async #move(issue: EndedIssue): Promise<void> {
    const { log } = this.#services
    const jira = this.#services.jira()
    const { session: sid, key, site, target, stays, attempts } = issue
    if (stays) return this.#settle(issue, 'skipped')
    try {
      if (jira === undefined) throw new JiraError('jira was removed from gateway.yaml')
      if (jira.url !== site)
        throw new JiraError(`the issue belongs to another site, ${site}`, { isLasting: true })
      await jira.move(key, target, this.#over.signal)
      if (attempts > 0) log.info({ sid, issue: key }, 'Jira issue moved after earlier failures')
      await this.#settle(issue, 'done')
    } catch (error) {
      if (!(error instanceof JiraError)) throw error
      if (!this.#over.signal.aborted) await this.#hasFailed(issue, error)
    }
  }

  async #hasFailed(issue: EndedIssue, { message: reason, isLasting }: JiraError): Promise<void> {
    const { session: sid, key, attempts, endedAt } = issue
    const { log } = this.#services
    const isOld = Date.now() - endedAt > this.#timing.ageMs && attempts + 1 >= this.#timing.attempts
    if (isLasting || isOld) {
      log.warn({ sid, issue: key, reason }, 'Jira issue not moved; gave up')
      return this.#settle(issue, 'given-up', reason)
    }
    if (attempts === 0) log.warn({ sid, issue: key, reason }, 'Jira issue not moved; will retry')
    const dueAt = Date.now() + retryPause(this.#timing, attempts)
    await this.#write(() => this.#services.history.write(({ issues }) => issues.retry(sid, dueAt, reason)))
    this.#giveUpExcess()
  }

  #giveUpExcess(): void {
    this.#attempts.try(() => {
      const { history, log } = this.#services
      for (const sid of history.read(({ issues }) => issues.excess(MAX_FAILING_ISSUES))) {
        const reason = `more than ${MAX_FAILING_ISSUES} issues wait to be moved`
        history.write(({ issues }) => issues.settle(sid, 'given-up', reason))
        log.warn({ sid, reason }, 'Jira issue not moved; gave up')
      }
    })
  }

  #settle({ session }: EndedIssue, outcome: MoveOutcome, error: string | null = null): Promise<void> {
    return this.#write(() =>
      this.#services.history.write(({ issues }) => issues.settle(session, outcome, error)),
    )
  }

  /** Writes the result of a move. If the write fails, waits, and the move stays due. */
  async #write(work: () => void): Promise<void> {
    const isDone = this.#attempts.try(() => {
      work()
      return true
    })
    const { signal } = this.#over
    if (isDone !== true) await delay(REST_MS, undefined, { signal }).catch(() => undefined)
  }
}
