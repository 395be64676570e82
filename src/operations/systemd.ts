import type { Logger } from '../basics/logger.ts'
import { activityWords } from './status-text.ts'
import type { StatusSource } from './status.ts'

/** How often systemd is told again what it has not taken, what changed without a new state, and that a stop goes on. */
const TICK_MS = 10_000
/** What systemd then waits for the next of them, beyond the unit's TimeoutStopSec. */
const EXTENSION = `EXTEND_TIMEOUT_USEC=${3 * TICK_MS * 1000}`

export interface SystemdOptions {
  /** @returns false when there is no room now. @throws when nobody listens */
  readonly send: (message: string) => boolean
  readonly status: StatusSource
  /** From `takeSystemdEnvironment`; undefined is without a watchdog. */
  readonly watchdogMs: number | undefined
  readonly log: Logger
  /** A stop that takes longer is none any more: systemd is then left to its own time limit. */
  readonly stopWithinMs: number
  /** For tests. */
  readonly tickMs?: number
}

/**
 * Tells systemd how the agent is (sd_notify(3), `Type=notify`). Its timers do not keep the process running.
 *
 * The watchdog hears of the event loop and of nothing else: an agent whose gateway is away for a day is a good agent.
 */
export class Systemd implements Disposable {
  readonly #options: SystemdOptions
  readonly #timers: NodeJS.Timeout[]
  /** What systemd has taken: what differs from it is sent, now and with the next tick. */
  #told = { ready: false, stopping: false, words: '' }
  #reloads = 0
  #stoppingSince: number | undefined
  #isDeaf = false

  constructor(options: SystemdOptions) {
    this.#options = options
    this.#timers = [setInterval(() => this.#tell(true), options.tickMs ?? TICK_MS).unref()]
    const { watchdogMs } = options
    if (watchdogMs === undefined) return
    this.#send(['WATCHDOG=1'])
    this.#timers.push(setInterval(() => this.#send(['WATCHDOG=1']), watchdogMs / 2).unref())
  }

  /** To be called whenever the connection's state has changed. */
  update(): void {
    this.#tell(false)
  }

  /** Around what SIGHUP does: systemd shows the unit as reloading meanwhile. */
  async reload(work: () => void | Promise<void>): Promise<void> {
    // The time is needed by Type=notify-reload (systemd 253) only. hrtime is CLOCK_MONOTONIC, as systemd's.
    const isTold = this.#send(['RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`])
    if (isTold) this.#told = { ...this.#told, ready: false }
    this.#reloads += 1
    try {
      await work()
    } finally {
      this.#reloads -= 1
      this.update()
    }
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers) clearInterval(timer)
  }

  #tell(isTick: boolean): void {
    const status = this.#options.status()
    const { state } = status.connection
    // Started is who has begun to connect: with a gateway that is away the start would fail for no fault of ours.
    const ready = this.#told.ready || (state !== 'idle' && this.#reloads === 0)
    const stopping = this.#told.stopping || state === 'draining' || state === 'stopped'
    const words = activityWords(status)
    const lines: string[] = []
    if (ready && !this.#told.ready) lines.push('READY=1')
    if (stopping && !this.#told.stopping) lines.push('STOPPING=1')
    // `drain` may be set longer than TimeoutStopSec. While the agent says this it is not killed; it ends by itself.
    this.#stoppingSince ??= stopping ? performance.now() : undefined
    if (stopping && (isTick || !this.#told.stopping) && !this.#isOverdue()) lines.push(EXTENSION)
    if (words !== this.#told.words) lines.push(`STATUS=${words}`)
    if (this.#send(lines)) this.#told = { ready, stopping, words }
  }

  #isOverdue(): boolean {
    const { stopWithinMs } = this.#options
    return this.#stoppingSince !== undefined && performance.now() - this.#stoppingSince > stopWithinMs
  }

  /** @returns whether systemd has taken it */
  #send(lines: readonly string[]): boolean {
    if (lines.length === 0) return true
    try {
      return this.#options.send(lines.join('\n'))
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      if (!this.#isDeaf) this.#options.log.warn({ reason }, 'systemd does not hear how the agent is')
      this.#isDeaf = true
      return false
    }
  }
}
