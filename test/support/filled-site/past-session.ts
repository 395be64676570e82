import type { EventKind, NewSession, RecordedEnd } from '../../../src/gateway/history/session.ts'
import type { Review } from '../../../src/gateway/reviews/review.ts'
import type { Chance } from './chance.ts'

export interface Output {
  readonly kind?: EventKind
  readonly text: string
  /** From the beginning of the command. */
  readonly seconds: number
  readonly isStderr?: boolean
}

export interface PastOptions {
  /** Number of sessions. */
  readonly sessions: number
  readonly chance: Chance
  readonly now: Date
  /** Full id of the commit of the runbooks. */
  readonly commit: string
}

export interface PastSession {
  readonly session: NewSession
  readonly end: RecordedEnd
  readonly outputs: readonly Output[]
  readonly review?: Review
}

/** Days before today that the history covers. */
export const PAST_DAYS = 14
