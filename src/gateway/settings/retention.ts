/** Settings of `gateway.yaml` that can change at any time. */
export interface Limits {
  /** How long a session is kept after its end. */
  readonly retainMs: number
  /** Above this size, the oldest finished sessions are removed. */
  readonly sizeBytes: number
}

export interface Retention extends Limits {
  /** Connections with their own limits. Their sessions also count for the total `sizeBytes`. */
  readonly connections: ReadonlyMap<string, Partial<Limits>>
}

/** About 140,000 years. */
const FOR_EVER_MS = Number.MAX_SAFE_INTEGER / 2

export const KEEP_ALL: Retention = { retainMs: FOR_EVER_MS, sizeBytes: Infinity, connections: new Map() }

export function retainMs(retention: Retention, connection: string): number {
  return retention.connections.get(connection)?.retainMs ?? retention.retainMs
}

/** A connection that has finished sessions, with their oldest and newest ends in ms since 1970. */
export interface KeptConnection {
  readonly connection: string
  readonly oldestEnd: number
  readonly newestEnd: number
}

/**
 * Chooses the connection from which sessions are removed next: its oldest session has used the largest part
 * of its retention. So a connection that is kept for a week loses sessions before one that is kept for a
 * year. Only sessions that ended before `endedBefore` may be removed: after these, another connection is
 * next. No clock is needed, because the newest end counts as the current time.
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
