import type { Source } from './ansi/rows.ts'
import type { Style } from './ansi/style.ts'

/** One event of a session, as the stream and ranges have it. */
export interface OutputEvent {
  readonly type: string
  /** Set for output that is not of stdout. */
  readonly stream?: string
  readonly payload: string
  /** When it was written, RFC 3339. */
  readonly time?: string
  /** Behind it. */
  readonly place: string
}

/** A part of the output that can be read again: where it is, and what it begins with. */
export interface Block {
  /** The place before its first event, and how many bytes of that event are not of this block. */
  readonly from: string
  readonly skip: number
  readonly bytes: number
  readonly style: Style
  readonly firstRow: number
  readonly rows: number
}

/** Who has written an event; undefined for what is no output. */
export function sourceOf({ type, stream }: Pick<OutputEvent, 'type' | 'stream'>): Source | undefined {
  if (type === 'e') return 'note'
  if (type !== 'o') return undefined
  return stream === 'stderr' ? 'stderr' : 'stdout'
}
