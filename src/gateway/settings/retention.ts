/**
 * How long sessions are kept, and how much space they may use. `gateway.yaml` sets it; it can change at any
 * time.
 */
export interface Limits {
  /** Sessions that ended longer ago are removed. */
  readonly retainMs: number
  /** Above this the oldest finished sessions are removed. */
  readonly sizeBytes: number
}

export interface Retention extends Limits {
  /** Connections with limits of their own. Their sessions also count for the total `sizeBytes`. */
  readonly connections: ReadonlyMap<string, Partial<Limits>>
}

/** More than any session has: a hundred thousand years. */
const FOR_EVER_MS = Number.MAX_SAFE_INTEGER / 2

export const KEEP_ALL: Retention = { retainMs: FOR_EVER_MS, sizeBytes: Infinity, connections: new Map() }

export function retainMs(retention: Retention, connection: string): number {
  return retention.connections.get(connection)?.retainMs ?? retention.retainMs
}

/** Times at which the first and the last finished session of a connection have ended, in ms since 1970. */
export interface KeptConnection {
  readonly connection: string
  readonly oldestEnd: number
  readonly newestEnd: number
}

/**
 * Returns the connection to remove sessions from: the one whose oldest session has spent the largest part of its
 * time. So a connection that is kept for a year does not lose its sessions to one that is kept for a week. Only
 * its sessions that ended before `endedBefore` go first: after them, another connection has spent more. Needs no
 * clock: the end of the newest session counts as the present time.
 */
export function nearestToItsEnd(
  kept: readonly KeptConnection[],
  retention: Retention,
): { connection: string; endedBefore: number } | undefined {
  const now = kept.reduce((newest, { newestEnd }) => Math.max(newest, newestEnd), 0)
  const spent = ({ connection, oldestEnd }: KeptConnection) =>
    (now - oldestEnd) / retainMs(retention, connection)
  const [first, second] = kept.toSorted((a, b) => spent(b) - spent(a) || a.oldestEnd - b.oldestEnd)
  if (first === undefined) return undefined
  const { connection, oldestEnd } = first
  const turn = second === undefined ? Infinity : now - spent(second) * retainMs(retention, connection)
  return { connection, endedBefore: Math.max(turn, oldestEnd) + 1 }
}
