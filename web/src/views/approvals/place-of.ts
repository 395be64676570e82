import type { ReviewInSession } from '../../api/types.ts'

/** Returns what an approval is for: a connection such as `web-01`, or `12 connections`. */
export function placeOf({ connection, batch }: Pick<ReviewInSession, 'connection' | 'batch'>): string {
  if (batch === undefined) return connection
  // In a list, a long batch has no names of connections.
  const { connections: count } = batch
  return `${count} ${count === 1 ? 'connection' : 'connections'}`
}
