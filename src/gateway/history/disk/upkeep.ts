import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from '../../../basics/logger.ts'
import type { History } from '../history.ts'
import { retainMs, type Retention } from '../../settings/retention.ts'

/** Period of the cleanup. */
const PASS_MS = 10 * 60 * 1000
/** Period of storing the time. After a kill, the stored time may be too early by at most this time. */
const RECOVER_MS = 5000
/**
 * Maximum number of old sessions that one pass removes. If a wrong clock makes all sessions look old, people
 * have time to notice.
 */
const TIME_MS = 60_000
/** Old sessions removed per pass. If a wrong clock makes all sessions look old, there is time to notice. */
const SESSIONS_PER_PASS = 5000

/** Removes old and excess sessions, and notices when the disk has space again. */
export class Upkeep {
  readonly #history: History
  readonly #retention: () => Retention
  readonly #log: Logger
  readonly #timers: readonly NodeJS.Timeout[]
  readonly #closing = new AbortController()
  #pass: Promise<void> | undefined
  #lastTick = performance.now()
  #doubt: string | undefined
  #toldObstacle: string | undefined
  #hasToldLag = false

  constructor(history: History, retention: () => Retention, log: Logger) {
    this.#history = history
    this.#retention = retention
    this.#log = log
    this.#timers = [
      setInterval(() => this.#startPass(), PASS_MS),
      setInterval(() => this.#recover(), RECOVER_MS),
      setInterval(() => this.#keepTime(), TIME_MS),
    ]
    this.#tellObstacle()
    this.#startPass()
  }

  /** A warning if the gateway does not believe the clock; otherwise undefined. */
  get doubt(): string | undefined {
    return this.#doubt ?? this.#history.clock.lag
  }

  /** Settles when the history is no longer used. */
  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    this.#closing.abort()
    await this.#pass
  }

  #recover(): void {
    if (this.#history.obstacle === undefined && this.#toldObstacle === undefined) return
    this.#trying('cannot reopen the session history; will retry', () => this.#history.recover())
    this.#tellObstacle()
  }

  #tellObstacle(): void {
    const { obstacle } = this.#history
    if (obstacle !== undefined && this.#toldObstacle === undefined)
      this.#log.error(
        { reason: obstacle },
        'degraded: cannot write the session history; new sessions are refused until it can be written',
      )
    if (obstacle === undefined && this.#toldObstacle !== undefined)
      this.#log.info({}, 'the session history can be written again')
    this.#toldObstacle = obstacle
  }

  #startPass(): void {
    this.#pass ??= this.#runPass().finally(() => (this.#pass = undefined))
  }

  async #runPass(): Promise<void> {
    const now = this.#trustedTime()
    const before = (connection: string) => now - retainMs(this.#retention(), connection)
    const old = await this.#removeAll(() => this.#history.quota.removeOlder(before), SESSIONS_PER_PASS)
    if (old > 0) this.#log.info({ sessions: old }, 'old sessions removed from the history')
    const excess = await this.#removeAll(() => this.#history.quota.removeExcess(), Infinity)
    if (excess > 0) this.#log.info({ sessions: excess }, 'sessions removed because the history was too large')
    await this.#inSteps(() => this.#history.shrink())
  }

  /** Returns 0 if the history fails. Then no session counts as old. */
  #trustedTime(): number {
    const now = performance.now()
    const elapsed = now - this.#lastTick
    this.#lastTick = now
    const belief = this.#trying('cannot store the clock of the gateway in the history; will retry', () =>
      this.#history.clock.believe(Date.now(), elapsed),
    )
    if (belief !== undefined) this.#tellDoubt(belief.doubt)
    this.#tellLag()
    return belief?.trustedAt ?? 0
  }

  #keepTime(): void {
    if (this.#history.obstacle !== undefined) return
    this.#trying('cannot store the clock of the gateway in the history; will retry', () =>
      this.#history.clock.keep(),
    )
    this.#tellLag()
  }

  #tellLag(): void {
    const { lag } = this.#history.clock
    if (lag !== undefined && !this.#hasToldLag) this.#log.warn({ reason: lag }, 'clock is wrong')
    if (lag === undefined && this.#hasToldLag) this.#log.info({}, 'clock is right again')
    this.#hasToldLag = lag !== undefined
  }

  #tellDoubt(doubt: string | undefined): void {
    if (doubt !== undefined && this.#doubt === undefined)
      this.#log.warn({ reason: doubt }, 'clock not trusted')
    if (doubt === undefined && this.#doubt !== undefined) this.#log.info({}, 'clock trusted again')
    this.#doubt = doubt
  }

  async #removeAll(step: () => { sessions: number; isDone: boolean }, most: number): Promise<number> {
    let removed = 0
    await this.#inSteps(() => {
      const { sessions, isDone } = step()
      removed += sessions
      return !isDone && removed < most
    })
    return removed
  }

  /** Runs the steps until one returns false. After each step, pauses for as long as the step took. */
  async #inSteps(step: () => boolean): Promise<void> {
    const { signal } = this.#closing
    for (let goesOn = true; goesOn && !signal.aborted;) {
      const startedAt = performance.now()
      goesOn = this.#trying('cleanup of the session history failed; will retry', step) === true
      if (goesOn) await delay(performance.now() - startedAt, undefined, { signal }).catch(() => undefined)
    }
  }

  #trying<T>(what: string, work: () => T): T | undefined {
    try {
      return work()
    } catch (error) {
      this.#log.error({ error: (error as Error).message }, what)
      return undefined
    }
  }
}
