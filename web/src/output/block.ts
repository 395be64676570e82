import type { Source } from './ansi/rows.ts'
import type { Style } from './ansi/style.ts'

/** One event of a session, as in the stream and in ranges. */
export interface OutputEvent {
  readonly type: string
  /** Set for output to other streams than stdout. */
  readonly stream?: string
  readonly payload: string
  /** The time of writing, RFC 3339. */
  readonly time?: string
  /** Place in the session's output after the event, for reading on from there. */
  readonly place: string
}

/** A part of the output that can be read again: its place and its initial style. */
export interface Block {
  /** `from` is the place before the first event, of which `skip` bytes are before the block. */
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
