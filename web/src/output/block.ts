import type { Style } from './ansi/style.ts'

/** One event of a session, as the stream and ranges have it. */
export interface OutputEvent {
  readonly type: string
  readonly payload: string
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
