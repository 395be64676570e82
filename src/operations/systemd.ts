import type { Logger } from '../basics/logger.ts'

/** Interval of messages: each repeats lost ones, reports changes without a new state, extends a stop. */
const TICK_MS = 10_000
/** Asks systemd to wait three intervals for the next message, even beyond the unit's TimeoutStopSec. */
const EXTENSION = `EXTEND_TIMEOUT_USEC=${3 * TICK_MS * 1000}`

export interface Life {
  readonly isReady: boolean
  readonly isStopping: boolean
  /** The program's activity, in one line. */
  readonly words: string
}

export interface SystemdOptions {
  /** Returns false when the socket's buffer is full. @throws when no process listens */
  readonly send: (message: string) => boolean
  readonly life: () => Life
  /** The result of `takeSystemdEnvironment`; undefined means no watchdog. */
  readonly watchdogMs: number | undefined
  readonly log: Logger
  /** Maximum time of a regular stop, after which systemd's own time limit applies. */
  readonly stopWithinMs: () => number
  /** For tests. */
  readonly tickMs?: number
}

/**
 * Tells systemd about a program's state (sd_notify(3), `Type=notify`). The timers do not keep the process
 * running. The watchdog covers only the event loop: an agent is healthy even when its gateway is unreachable
 * for a day.
 */
export class Systemd implements Disposable {
  readonly #options: SystemdOptions
  readonly #timers: NodeJS.Timeout[]
  /** The state that systemd has accepted. */
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

  /** Call this whenever the program's life has changed. */
  update(): void {
    this.#tell(false)
  }

  /** Runs the work of SIGHUP. During the work, systemd shows the unit as reloading. */
  async reload(work: () => void | Promise<void>): Promise<void> {
    // Only Type=notify-reload (systemd 253) needs the time. hrtime is CLOCK_MONOTONIC, like systemd's.
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
    const { isReady, isStopping, words } = this.#options.life()
    const ready = this.#told.ready || (isReady && this.#reloads === 0)
    const stopping = this.#told.stopping || isStopping
    const lines: string[] = []
    if (ready && !this.#told.ready) lines.push('READY=1')
    if (stopping && !this.#told.stopping) lines.push('STOPPING=1')
    // `drain` may be longer than TimeoutStopSec. systemd does not kill a program that sends EXTENSION.
    this.#stoppingSince ??= stopping ? performance.now() : undefined
    if (stopping && (isTick || !this.#told.stopping) && !this.#isOverdue()) lines.push(EXTENSION)
    if (words !== this.#told.words) lines.push(`STATUS=${words}`)
    if (this.#send(lines)) this.#told = { ready, stopping, words }
  }

  #isOverdue(): boolean {
    const { stopWithinMs } = this.#options
    return this.#stoppingSince !== undefined && performance.now() - this.#stoppingSince > stopWithinMs()
  }

  /** Returns whether systemd has accepted the message. */
  #send(lines: readonly string[]): boolean {
    if (lines.length === 0) return true
    try {
      return this.#options.send(lines.join('\n'))
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      if (!this.#isDeaf) this.#options.log.warn({ reason }, 'cannot tell systemd the state of this program')
      this.#isDeaf = true
      return false
    }
  }
}

interface SystemdEnvironment {
  /** A path, or `@name`. */
  readonly socket: string
  /** Maximum time between two pings; undefined without a watchdog. */
  readonly watchdogMs: number | undefined
}

/**
 * Removes systemd's variables from the environment: a child that inherits them could send messages for this
 * process. Returns undefined when systemd expects no messages.
 */
export function takeSystemdEnvironment(
  env: Record<string, string | undefined>,
  pid: number,
): SystemdEnvironment | undefined {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: usec, WATCHDOG_PID: watched } = env
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) Reflect.deleteProperty(env, name)
  if (!socket) return undefined
  const isForUs = !watched || watched === String(pid)
  return { socket, watchdogMs: isForUs ? parseMicroseconds(usec) : undefined }
}

/** Node's timers with a longer delay fire immediately. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

function parseMicroseconds(text = ''): number | undefined {
  const ms = /^\d{1,15}$/.test(text) ? Number(text) / 1000 : 0
  return ms > 0 ? Math.min(ms, LONGEST_TIMER_MS) : undefined
}
