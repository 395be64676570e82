const GROWTH = 1.5
const LONGEST_MS = 5000

/** The next wait between two questions about what goes on elsewhere, milliseconds: ever gentler to the gateway. */
export function longer(waitMs: number): number {
  return Math.min(waitMs * GROWTH, LONGEST_MS)
}
