import type { Logger } from '../basics/logger.ts'
import { Systemd, type SystemdOptions, takeSystemdEnvironment } from '../operations/systemd.ts'

/** Tells systemd, which has started this process, about its state. */
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
 * Undefined when systemd wants no messages. The socket, which needs the posix engine's bindings, is loaded only then.
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
    log.warn({ error: (error as Error).message }, 'systemd cannot be told how this program is')
    return undefined
  }
}
