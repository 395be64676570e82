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
