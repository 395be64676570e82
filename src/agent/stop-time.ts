import { longestEndMs } from '../runtime/ending/ending-times.ts'

/** After the last command has been killed: its output's rest and its close on their way. */
const CLOSES_MS = 5000

export interface WayOutSettings {
  readonly drainMs: number
  readonly killGraceMs: number
}

/**
 * From an agent's first SIGTERM to its end, at the longest. Whoever kills it earlier leaves processes behind: of a
 * command that ignores SIGTERM and has started another with `setsid`, the second is looked for when the first is dead.
 */
export function longestWayOutMs({ drainMs, killGraceMs }: WayOutSettings): number {
  return drainMs + longestEndMs(killGraceMs) + CLOSES_MS
}
