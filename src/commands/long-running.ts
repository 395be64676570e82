import type { Logger } from '../basics/logger.ts'
import { Systemd, type SystemdOptions, takeSystemdEnvironment } from '../operations/systemd.ts'

/** The first signal drains, the second stops, the third exits immediately. */
interface Shutdown {
  readonly drain: () => void
  readonly stop: () => void
  /**
   * The process runs in a terminal, possibly as a child of npm. SIGHUP, which a closed terminal sends, counts as
   * a first signal, and two SIGINT of one Ctrl-C count once.
   */
  readonly inTerminal?: boolean
}

/** A terminal sends SIGINT to npm and to this process, and npm passes it on, on a busy machine some time later. */
const SAME_INTERRUPT_MS = 500

/** Handles SIGTERM and SIGINT. The third signal makes the process exit with 1. */
export function onShutdownSignals({ drain, stop, inTerminal = false }: Shutdown): void {
  let count = 0
  let interruptedAt = -Infinity
  const received = () => {
    count += 1
    if (count === 1) drain()
    else if (count === 2) stop()
    else process.exit(1)
  }
  process.on('SIGTERM', received)
  process.on('SIGINT', () => {
    if (inTerminal && performance.now() - interruptedAt < SAME_INTERRUPT_MS) return
    interruptedAt = performance.now()
    received()
  })
  // When a terminal closes, shell, npm and kernel each send a SIGHUP. Only the first counts: the user has not
  // asked for a faster stop.
  if (inTerminal) process.on('SIGHUP', () => (count === 0 ? received() : undefined))
}

interface OperatorSignals {
  readonly reload: () => void
  readonly dump: () => void
}

/** After this call, SIGHUP and SIGUSR2 no longer end the process. */
export function onOperatorSignals({ reload, dump }: OperatorSignals): void {
  onReloadSignal(reload)
  process.on('SIGUSR2', dump)
}

/** After this call, SIGHUP no longer ends the process. */
export function onReloadSignal(reload: () => void): void {
  process.on('SIGHUP', reload)
}

export class SystemdService implements Disposable {
  readonly #systemd: Systemd
  readonly #notify: Disposable

  constructor(systemd: Systemd, notify: Disposable) {
    this.#systemd = systemd
    this.#notify = notify
  }

  update(): void {
    this.#systemd.update()
  }

  async reload(work: () => void | Promise<void>): Promise<void> {
    await this.#systemd.reload(work)
  }

  [Symbol.dispose](): void {
    this.#systemd[Symbol.dispose]()
    this.#notify[Symbol.dispose]()
  }
}

/**
 * Returns undefined if systemd expects no messages. Otherwise loads the code for systemd's socket and its
 * native bindings.
 */
export async function openSystemd({
  life,
  stopWithinMs,
  log,
}: Pick<SystemdOptions, 'life' | 'stopWithinMs'> & { readonly log: Logger }): Promise<
  SystemdService | undefined
> {
  const asked = takeSystemdEnvironment(process.env, process.pid)
  if (asked === undefined) return undefined
  try {
    const { NotifySocket } = await import('../runtime/linux/notify-socket.ts')
    const notify = new NotifySocket(asked.socket)
    const send = (message: string) => notify.send(message)
    const { watchdogMs } = asked
    return new SystemdService(new Systemd({ send, life, watchdogMs, stopWithinMs, log }), notify)
  } catch (error) {
    log.warn({ error: (error as Error).message }, 'cannot report the state to systemd')
    return undefined
  }
}

const levels = ['debug', 'info', 'warn', 'error'] as const
type Level = (typeof levels)[number]

/** Reads hoop's variables, for commands that have no log settings of their own. */
export function logSettings(level: Level): { level: Level; encoding: 'json' | 'human' } {
  const { LOG_LEVEL, LOG_ENCODING, NO_COLOR } = process.env
  const terminal = process.stderr.isTTY && !NO_COLOR
  const known = levels.find((name) => name === LOG_LEVEL?.toLowerCase())
  return {
    level: known ?? level,
    encoding: LOG_ENCODING === 'json' || (!LOG_ENCODING && !terminal) ? 'json' : 'human',
  }
}
