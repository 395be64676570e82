export interface SystemdEnvironment {
  /** A path, or `@name`. */
  readonly socket: string
  /** A ping is due within this time; undefined when nobody waits for one. */
  readonly watchdogMs: number | undefined
}

/**
 * Takes systemd's variables out of the environment. They are for this process, and whoever inherited them could speak
 * for it. @returns undefined when this process is no such service
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

/** Longer timers fire at once in Node. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

function parseMicroseconds(text = ''): number | undefined {
  const ms = /^\d{1,15}$/.test(text) ? Number(text) / 1000 : 0
  return ms > 0 ? Math.min(ms, LONGEST_TIMER_MS) : undefined
}
