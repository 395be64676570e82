/**
 * How long sessions are kept, and how much space they may use. These settings of `gateway.yaml` can change at
 * any time.
 */
export interface Limits {
  /** Sessions are removed this long after their end. */
  readonly retainMs: number
  /** Above this size the oldest finished sessions are removed. */
  readonly sizeBytes: number
}

export interface Retention extends Limits {
  /** Connections with their own limits. Their sessions also count for the total `sizeBytes`. */
  readonly connections: ReadonlyMap<string, Partial<Limits>>
}

/** About 140,000 years, which is longer than any session is kept. */
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
 * Returns the connection from which sessions are removed: the connection whose oldest session has spent the
 * largest part of its retention time. So a connection that is kept for a year does not lose its sessions to a
 * connection that is kept for a week. Only sessions that ended before `endedBefore` are removed, because
 * after them another connection has spent more. Needs no clock, because the end of the newest session counts
 * as the present time.
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
