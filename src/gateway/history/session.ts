import type { EndState, Outcome, SessionKind, SessionOrder } from '../../contract/session-state.ts'

/** Facts that are known when a session begins. */
export interface NewSession {
  /** Printable ASCII without spaces, at most 200 characters. */
  readonly id: string
  readonly origin: 'client-api' | 'client-api-runbooks' | 'client'
  readonly verb: string
  readonly connection: string
  readonly connectionType: string
  readonly connectionSubtype?: string
  /** Missing if the connection has no tags. */
  readonly connectionTags?: Readonly<Record<string, string>>
  readonly user: string
  /** Input as the agent received it. Empty for a terminal. */
  readonly isPort?: true
  /** Set if the session reads a list of choices. Lists of sessions hide such sessions unless they are asked for. */
  readonly isList?: true
  /** The input as the agent received it; empty for a terminal. */
  readonly script: Buffer
  readonly labels: Readonly<Record<string, string>>
  readonly metadata: Readonly<Record<string, unknown>>
  /** Why the user asked, with secrets replaced. */
  readonly reason?: string
  readonly sessionBatchId?: string
  readonly correlationId?: string
  /** Number of characters of the script in JSON. Missing in sessions of older versions. */
  readonly scriptSize?: number
  /** When the session was requested. */
  readonly startedAt: Date
}

/** Facts for the audit log that the session does not have. */
export interface SessionAsking {
  readonly clientIp?: string | undefined
  readonly token?: { readonly id: string; readonly name: string } | undefined
  /** Set when the session needs an approval first. */
  readonly waits?: true
}

/** Other rooms add facts by `declare module`; a SessionPart reads them. */
export interface SessionFacts {}

/** A session without its script. */
export interface SessionSummary extends Omit<NewSession, 'script'>, SessionFacts {
  /** Set in lists and exports if long parts of the request are missing: labels, metadata, the batch's id. */
  readonly isShort?: true
  /** `ready`: approved, but not yet run. `open`: running, or waiting for an approval. */
  readonly status: 'open' | 'ready' | 'done'
  /** Undefined while the session is open, and if the agent reported no exit code. */
  readonly exitCode: number | undefined
  /** When the command began. Unknown for sessions of older versions. */
  readonly beganAt?: Date
  /** The seconds of the session's events count from this time. */
  readonly clockAt: Date
  readonly endedAt?: Date
  /** Bytes of output that the agent's limit has cut or the history has not recorded. */
  readonly truncatedBytes: number
  /**
   * Bytes of secrets that the agent or the gateway has replaced in the output. 0 while the session is open.
   */
  readonly redactedBytes: number
  /** Broken rules, as JSON. */
  readonly guardrails?: string
  readonly cause?: EndCause
  /** Facts about masked output, as JSON from the agent. */
  readonly masking?: string
  /** Bytes recorded so far. */
  readonly outputBytes: number
}

/** A user who sees their own sessions, and sessions that one of these groups reviews. */
export interface SessionViewer {
  readonly name: string
  readonly groups: readonly string[]
  /** Further sessions that the settings of connections open to the user. */
  readonly team?: {
    /** Connections where the user sees all sessions. */
    readonly all: readonly string[]
    /** Connections where the user sees the sessions of `users`. */
    readonly connections: readonly string[]
    readonly users: readonly string[]
  }
}

export interface SessionQuery {
  /** An SQL LIKE pattern. */
  readonly user?: string | undefined
  /** A user who may see the sessions. The filter `user` applies, too. */
  readonly viewer?: SessionViewer | undefined
  /** An SQL LIKE pattern of the review's status; empty for sessions without a review. */
  readonly reviewStatus?: string | undefined
  /** At least one of these groups reviews the session. */
  readonly reviewGroups?: readonly string[] | undefined
  /** The session has one of these Jira issues. Upper and lower case are equal. */
  readonly issueKeys?: readonly string[] | undefined
  /** An SQL LIKE pattern. */
  readonly connection?: string | undefined
  /** An SQL LIKE pattern of the configured type, for example `database`. */
  readonly connectionType?: string | undefined
  /** An SQL LIKE pattern of the file. */
  readonly runbook?: string | undefined
  readonly outcomes?: readonly Outcome[] | undefined
  /** States after the end. A session matches if it has one of the outcomes or one of these states. */
  readonly endStates?: readonly EndState[] | undefined
  readonly kind?: SessionKind | undefined
  /** Name of the schedule that has run the session. */
  readonly schedule?: string | undefined
  /**
   * Each word is in the runbook's path or title, in the user's name or in the value of a parameter. Case does
   * not matter. Only the newest sessions are searched.
   */
  readonly words?: readonly string[] | undefined
  /** Order of the list. If unset, the list begins with the newest session. */
  readonly sort?: SessionSort | undefined
  /** Which sessions have one row together. If unset, each session has a row of its own. */
  readonly folding?: Folding | undefined
  /**
   * A part of the recorded value of a parameter. Case does not matter. Only the newest sessions are searched.
   */
  readonly parameter?: string | undefined
  readonly correlationId?: string | undefined
  readonly sessionBatchId?: string | undefined
  /** The session was requested between `from` and `to`. Each of them may be missing. */
  readonly from?: Date | undefined
  readonly to?: Date | undefined
  readonly limit: number
  readonly offset: number
  /** If unset, `capped` applies: the count stops at 10,000. */
  readonly count?: 'capped' | 'exact' | 'none' | undefined
}

/** `took` lists only sessions whose command began and ended. */
export interface SessionSort {
  readonly by: SessionOrder
  readonly isDescending: boolean
}

export interface Folding {
  readonly batches: boolean
  /** Returns the number of the day on which a time is. Without it, runs of schedules have rows of their own. */
  readonly dayOf?: ((ms: number) => number) | undefined
}

/** The sessions that have one row together. */
export interface SessionGroup {
  readonly kind: 'batch' | 'schedule'
  /** Id of the batch, or name of the schedule. */
  readonly name: string
  readonly count: number
  /** Number of sessions by outcome. All open sessions count under `open`. */
  readonly counts: ReadonlyMap<string, number>
  readonly firstAt: Date
  readonly lastAt: Date
  /** When the first command began. */
  readonly beganAt?: Date
  /** When the last session ended. Missing while one is open. */
  readonly endedAt?: Date
}

export interface HistoryPage {
  readonly sessions: SessionSummary[]
  /** The groups by the id of the session that stands for them. */
  readonly groups: ReadonlyMap<string, SessionGroup>
  readonly hasMore: boolean
  /** Number of sessions on all pages; undefined if the query asks for no count. */
  readonly total: number | undefined
  /** Whether there are more sessions than `total`. */
  readonly isCapped: boolean
  /** Set if only a limited number of sessions was looked at: for a text, an order or folded rows. */
  readonly searched?: Searched
}

/** What a search for a text, an order or folded rows has looked at. */
export interface Searched {
  /** Number of sessions that were looked at: the newest ones that match the other filters. */
  readonly sessions: number
  /** False if there are more sessions, which were not looked at. */
  readonly areAll: boolean
  /** For a parameter: number of sessions without a match whose parameters are longer than the part that is searched. */
  readonly shortened: number
}

/** A session and its place. If the recording of a session began later, its place is larger. */
export interface PlacedSession {
  readonly place: number
  readonly session: SessionSummary
}

/** Why a session has ended, if the exit code does not show it. */
export interface EndCause {
  /** A code of docs/endings-and-codes.md, or a reason of the agent. */
  readonly code: string
  readonly by?: string
}

export interface RecordedEnd {
  readonly exitCode: number | undefined
  /** Bytes of output that the agent has left out (`client.truncated_bytes`). */
  readonly truncatedBytes: number
  /** Bytes of secrets that the agent or the gateway has replaced in the output. Missing means 0. */
  readonly redactedBytes?: number
  /** Broken rules, as JSON. */
  readonly guardrails?: string
  /** JSON from the agent. Missing if nothing was masked. */
  readonly masking?: string
  /** Missing if the exit code is the only reason. */
  readonly cause?: EndCause
  /** Missing if the command has not begun. */
  readonly beganAt?: Date
  readonly endedAt: Date
}

/**
 * The letters come from protocol.md 10.4. `i`: input. `o`: output to stdout or stderr. `e`: a text about the
 * session. `r`: a new size of the terminal (`COLSxROWS`).
 */
export type EventKind = 'i' | 'o' | 'e' | 'r'

/** A piece of a session's stream, at most 64 KiB. */
export interface SessionEvent {
  /** Seconds since `clockAt` of the session. */
  readonly seconds: number
  readonly kind: EventKind
  readonly bytes: Buffer
  /** Whether the command wrote this output to stderr. A terminal has no stderr of its own. */
  readonly isStderr?: boolean
}

export function isSessionId(id: string): boolean {
  return /^[\x21-\x7e]{1,200}$/.test(id)
}
