import type { SessionEvent } from './session.ts'

/** What an event costs besides its bytes. It keeps a flood of one-byte events within the limits, too. */
export const EVENT_COST_BYTES = 128
/** A session's row and its places in the indexes, without the request. */
export const SESSION_COST_BYTES = 1024

export function costOf(events: readonly Pick<SessionEvent, 'bytes'>[]): number {
  return events.reduce((sum, { bytes }) => sum + bytes.length + EVENT_COST_BYTES, 0)
}
