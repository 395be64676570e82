/** The reactions to repeated signals: the first drains, the second stops, the third exits at once. */
export interface Shutdown {
  readonly drain: () => void
  readonly stop: () => void
  /** Whether SIGHUP, from a closed terminal, counts as a first signal. */
  readonly onHangup?: boolean
}

/** Handles SIGTERM and SIGINT. The third signal exits with 1. */
export function onShutdownSignals({ drain, stop, onHangup = false }: Shutdown): void {
  let count = 0
  const received = () => {
    count += 1
    if (count === 1) drain()
    else if (count === 2) stop()
    else process.exit(1)
  }
  process.on('SIGTERM', received)
  process.on('SIGINT', received)
  // When a terminal closes, shell, npm and kernel each send SIGHUP, and the user wants no hurry.
  if (onHangup) process.on('SIGHUP', () => (count === 0 ? received() : undefined))
}

export interface OperatorSignals {
  readonly reload: () => void
  readonly dump: () => void
}

/** Handles SIGHUP and SIGUSR2, which then no longer end the process. */
export function onOperatorSignals({ reload, dump }: OperatorSignals): void {
  onReloadSignal(reload)
  process.on('SIGUSR2', dump)
}

/** Handles SIGHUP, which then no longer ends the process. */
export function onReloadSignal(reload: () => void): void {
  process.on('SIGHUP', reload)
}
