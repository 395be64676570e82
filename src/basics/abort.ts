/**
 * Calls `listener` once when the signal aborts, or immediately if the signal has aborted already. The bare
 * `addEventListener` would not call it then, and an abort between two awaits would be lost. Dispose the
 * result, or the signal keeps the listener.
 */
export function onAbort(signal: AbortSignal, listener: () => void): Disposable {
  if (signal.aborted) {
    listener()
    return { [Symbol.dispose]: () => undefined }
  }
  // Not `listener` itself: `addEventListener` would pass the event as an argument.
  const aborted = () => listener()
  signal.addEventListener('abort', aborted, { once: true })
  return { [Symbol.dispose]: () => signal.removeEventListener('abort', aborted) }
}

/** Waits for `work`, but only until the signal aborts. @throws the failure of `work` before that */
export async function untilAbort(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  let abort: () => void = () => undefined
  const aborted = new Promise<void>((resolve) => (abort = resolve))
  using _ = onAbort(signal, abort)
  await Promise.race([work, aborted])
}

/** The longest delay of Node's timers. A longer one would fire immediately. */
const LONGEST_MS = 2 ** 31 - 1

/** A signal that aborts after `ms` milliseconds, or when `outer` aborts. */
export function patience(ms: number, outer: AbortSignal): AbortSignal {
  const late = AbortSignal.timeout(Math.min(Math.ceil(ms), LONGEST_MS))
  // Without a listener, Node 20 collects the signal as garbage, and it never aborts (seen).
  onAbort(late, () => undefined)
  return AbortSignal.any([outer, late])
}

/**
 * Returns whether `work` is done within `ms`. If not, the work goes on and its failure is ignored.
 * @throws the failure of `work` within `ms`
 */
export async function within(work: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  // After a block of the event loop, timers run first. Work that was done during the block gets its turn
  // before it counts as late.
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => setImmediate(resolve, false), Math.max(0, ms))
  })
  try {
    return await Promise.race([work.then(() => true), late])
  } finally {
    clearTimeout(timer)
  }
}
