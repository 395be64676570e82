/**
 * Starts of commands, one after the other: the mark of a command is a limit of this whole process while it starts
 * (`ending/mark.ts`), and the buffers of the call are there once (`posix.ts`).
 */
let last: Promise<unknown> = Promise.resolve()

/**
 * Does `start` when the earlier ones are over.
 * @throws the signal's reason when it is aborted before its turn
 */
export function inTurn<T>(signal: AbortSignal | undefined, start: () => Promise<T>): Promise<T> {
  const started = last.then(() => {
    signal?.throwIfAborted()
    return start()
  })
  last = started.catch(() => undefined)
  return started
}
