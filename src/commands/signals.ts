/** What the signals of one kind ask for: the first to end in good order, the second now, the third at any price. */
export interface Shutdown {
  readonly drain: () => void
  readonly stop: () => void
  /** SIGHUP, of a terminal that was closed, asks for the first too. */
  readonly onHangup?: boolean
}

/** Maps SIGTERM and SIGINT; the third one exits with 1. */
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
  // Of one terminal the shell tells, npm and the kernel: that nobody wants it faster.
  if (onHangup) process.on('SIGHUP', () => (count === 0 ? received() : undefined))
}

export interface OperatorSignals {
  readonly reload: () => void
  readonly dump: () => void
}

/** Maps SIGHUP and SIGUSR2, which from then on do not end the process. */
export function onOperatorSignals({ reload, dump }: OperatorSignals): void {
  process.on('SIGHUP', reload)
  process.on('SIGUSR2', dump)
}
