import type { Source } from './ansi/rows.ts'
import type { Style } from './ansi/style.ts'

/** One event of a session, as in the stream and in ranges. */
export interface OutputEvent {
  readonly type: string
  /** Set for output to other streams than stdout. */
  readonly stream?: string
  readonly payload: string
  /** The time at which the program wrote the output, as RFC 3339. */
  readonly time?: string
  /** The place in the session's output after this event. Reading can continue from there. */
  readonly place: string
}

/**
 * A part of the output that the page can read again. It has the place where the part begins and the style at
 * its start.
 */
export interface Block {
  /**
   * `from` is the place before the first event. The first `skip` bytes of this event are before the block.
   */
  readonly from: string
  readonly skip: number
  readonly bytes: number
  readonly style: Style
  readonly firstRow: number
  readonly rows: number
}

/** Returns undefined for events that are not output. */
export function sourceOf({ type, stream }: Pick<OutputEvent, 'type' | 'stream'>): Source | undefined {
  if (type === 'e') return 'note'
  if (type !== 'o') return undefined
  return stream === 'stderr' ? 'stderr' : 'stdout'
}
