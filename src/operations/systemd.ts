import type { Logger } from '../basics/logger.ts'

/**
 * Interval of messages to systemd. A message repeats lost messages, reports changes within a state, and
 * extends the time for a stop.
 */
const TICK_MS = 10_000
/** Asks systemd to wait three intervals for the next message, even if TimeoutStopSec is over. */
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
  /** A result of `takeSystemdEnvironment`. Undefined if there is no watchdog. */
  readonly watchdogMs: number | undefined
  readonly log: Logger
  /** Maximum time of a regular stop. After this time, systemd's own time limit decides. */
  readonly stopWithinMs: () => number
  /** Only tests set this value. */
  readonly tickMs?: number
}

/**
 * Tells systemd about a program's state (sd_notify(3), `Type=notify`). The timers do not keep the process
 * running. The watchdog checks only the event loop, because an agent is healthy even if its gateway cannot be
 * reached for a day.
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
    // Only Type=notify-reload (systemd 253) needs the time. hrtime and systemd both use CLOCK_MONOTONIC.
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
    // `drain` may be longer than TimeoutStopSec. EXTENSION keeps systemd from killing the program.
    this.#stoppingSince ??= stopping ? performance.now() : undefined
    if (stopping && (isTick || !this.#told.stopping) && !this.#isOverdue()) lines.push(EXTENSION)
    if (words !== this.#told.words) lines.push(`STATUS=${words}`)
    if (this.#send(lines)) this.#told = { ready, stopping, words }
  }

  #isOverdue(): boolean {
    const { stopWithinMs } = this.#options
    return this.#stoppingSince !== undefined && performance.now() - this.#stoppingSince > stopWithinMs()
  }

  /** Returns true if systemd has accepted the message. */
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
  /** A path, or `@name` for an abstract socket. */
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

/** The longest delay of a timer. With a longer delay, Node's timers fire immediately. */
const MAX_TIMER_MS = 2 ** 31 - 1

function parseMicroseconds(text = ''): number | undefined {
  const ms = /^\d{1,15}$/.test(text) ? Number(text) / 1000 : 0
  return ms > 0 ? Math.min(ms, MAX_TIMER_MS) : undefined
}
