import { onAbort } from './abort.ts'

/** Node's timers know no longer time: what is longer would be over at once. */
const LONGEST_MS = 2 ** 31 - 1

/** Aborts after `ms` milliseconds, or when `outer` does. */
export function patience(ms: number, outer: AbortSignal): AbortSignal {
  const late = AbortSignal.timeout(Math.min(Math.ceil(ms), LONGEST_MS))
  // Without a listener of its own Node 20 collects it as garbage, and it never aborts (seen).
  onAbort(late, () => undefined)
  return AbortSignal.any([outer, late])
}
