import { longestEndMs } from '../runtime/ending/ending-times.ts'

/** Time to send the rest of the output and the closes, after the last command was killed. */
export const CLOSES_MS = 5000

export interface StopSettings {
  readonly drainMs: number
  readonly killGraceMs: number
}

/**
 * The longest time from an agent's first SIGTERM to its end. Killing the agent earlier can leave processes behind:
 * when a command ignores SIGTERM and has started another one with `setsid`, the agent looks for the second only after
 * the first is dead.
 */
export function longestStopMs({ drainMs, killGraceMs }: StopSettings): number {
  return drainMs + longestEndMs(killGraceMs) + CLOSES_MS
}
