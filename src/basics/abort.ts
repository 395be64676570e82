import { deferred } from './deferred.ts'

/**
 * Calls `listener` once when the signal aborts, or immediately if it has aborted. `addEventListener` alone
 * would miss an abort between two awaits. Dispose the result; otherwise the signal keeps the listener in
 * memory.
 */
export function onAbort(signal: AbortSignal, listener: () => void): Disposable {
  if (signal.aborted) {
    listener()
    return { [Symbol.dispose]: () => undefined }
  }
  // Without arguments, because `addEventListener` would pass the event to `listener`.
  const aborted = () => listener()
  signal.addEventListener('abort', aborted, { once: true })
  return { [Symbol.dispose]: () => signal.removeEventListener('abort', aborted) }
}

/** Waits for `work`, at most until the abort. @throws the failure of `work` before the abort */
export async function untilAbort(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  const aborted = deferred()
  using _ = onAbort(signal, aborted.resolve)
  await Promise.race([work, aborted.promise])
}

/** Node's timers with a longer delay fire immediately. */
const MAX_MS = 2 ** 31 - 1

/** Aborts after `ms` milliseconds, or when `outer` aborts. */
export function patience(ms: number, outer: AbortSignal): AbortSignal {
  const late = AbortSignal.timeout(Math.min(Math.ceil(ms), MAX_MS))
  // Without a listener, Node 20 collects the signal as garbage, and the signal never aborts: of 200 signals,
  // none did after a collection (20.19 and 20.20). Node 22 and 24 keep it.
  onAbort(late, () => undefined)
  return AbortSignal.any([outer, late])
}

/** Returns whether `work` is done within `ms`. Throws the failure of `work` if `work` fails within `ms`. */
export async function within(work: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  // After a block of the event loop, timers run first. `setImmediate` lets work that was done during the
  // block settle before the result.
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => setImmediate(resolve, false), Math.max(0, ms))
  })
  try {
    return await Promise.race([work.then(() => true), late])
  } finally {
    clearTimeout(timer)
  }
}
