/** What the history knows about the issue of a session. */
export interface SessionIssue {
  readonly key: string
  readonly url: string
  readonly move: {
    /** `pending`: it is moved when the session has ended. `skipped`: it stays as it is. */
    readonly status: 'pending' | 'done' | 'skipped' | 'given-up'
    /** Attempts that have failed. */
    readonly attempts: number
    /** Why the last one has failed. */
    readonly error: string | null
  }
}

/** What becomes of an issue at the end of its session. */
export type MoveOutcome = Exclude<SessionIssue['move']['status'], 'pending'>
