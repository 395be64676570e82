/** Lets the browser draw and handle keys, without the delay of timers. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(undefined)
  })
}

/** Maximum time in ms of work before the browser gets a chance to draw and handle keys. */
export const TURN_MS = 8

/** Pauses between the steps, so that the browser draws and handles keys. @throws the signal's reason */
export async function inTurns<Result>(
  steps: Generator<void, Result, void>,
  signal: AbortSignal,
): Promise<Result> {
  let began = performance.now()
  for (;;) {
    const { done, value } = steps.next()
    if (done === true) return value
    if (performance.now() - began < TURN_MS) continue
    await turn()
    signal.throwIfAborted()
    began = performance.now()
  }
}
