/**
 * Calls `listener` once when the signal aborts, and at once when it has aborted already: the bare `addEventListener`
 * never calls then, and an abort between two awaits would be lost. Dispose it, or the signal keeps the listener.
 */
export function onAbort(signal: AbortSignal, listener: () => void): Disposable {
  if (signal.aborted) {
    listener()
    return { [Symbol.dispose]: () => undefined }
  }
  // Not `listener` itself: it would get the event as an argument.
  const aborted = () => listener()
  signal.addEventListener('abort', aborted, { once: true })
  return { [Symbol.dispose]: () => signal.removeEventListener('abort', aborted) }
}

/** Node's timers know no longer time: what is longer would be over at once. */
const LONGEST_MS = 2 ** 31 - 1

/** Aborts after `ms` milliseconds, or when `outer` does. */
export function patience(ms: number, outer: AbortSignal): AbortSignal {
  const late = AbortSignal.timeout(Math.min(Math.ceil(ms), LONGEST_MS))
  // Without a listener of its own Node 20 collects it as garbage, and it never aborts (seen).
  onAbort(late, () => undefined)
  return AbortSignal.any([outer, late])
}

/** Whether `work` is done in `ms`. If not, it goes on and its failure is ignored. @throws as `work` in that time */
export async function within(work: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  // After a block of the event loop timers run first. Work that was done meanwhile gets its turn before it counts as
  // late.
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => setImmediate(resolve, false), Math.max(0, ms))
  })
  try {
    return await Promise.race([work.then(() => true), late])
  } finally {
    clearTimeout(timer)
  }
}
