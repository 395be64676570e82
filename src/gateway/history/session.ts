import type { Outcome, SessionKind } from '../../contract/session-state.ts'

/** Known when the session begins. */
export interface NewSession {
  /** Printable ASCII without spaces, at most 200 characters. */
  readonly id: string
  readonly origin: 'client-api' | 'client-api-runbooks' | 'client'
  readonly verb: string
  readonly connection: string
  readonly connectionType: string
  readonly connectionSubtype?: string
  /** Missing without tags. */
  readonly connectionTags?: Readonly<Record<string, string>>
  readonly user: string
  /** A port of native clients. Its record has statements instead of a terminal's output. */
  readonly isPort?: true
  /** As the agent received it; empty for a terminal. */
  readonly script: Buffer
  readonly labels: Readonly<Record<string, string>>
  readonly metadata: Readonly<Record<string, unknown>>
  readonly sessionBatchId?: string
  readonly correlationId?: string
  /** Characters of the script as JSON text. Missing in sessions of older versions. */
  readonly scriptSize?: number
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

/** Without the script. */
export interface SessionSummary extends Omit<NewSession, 'script'>, SessionFacts {
  /** `ready`: approved, but not yet run. `open`: running, or waiting for an approval. */
  readonly status: 'open' | 'ready' | 'done'
  /** Undefined while the session is open, and if the agent reported none. */
  readonly exitCode: number | undefined
  readonly endedAt?: Date
  /** Output that the agent's limit has cut or the history has not recorded. */
  readonly truncatedBytes: number
  /** Secrets replaced in the output, by the agent or here; 0 while the session is open. */
  readonly redactedBytes: number
  /** Broken rules, as JSON. */
  readonly guardrails?: string
  readonly cause?: EndCause
  /** From the agent, as JSON. */
  readonly masking?: string
  /** Recorded so far. */
  readonly outputBytes: number
}

/** Sees their own sessions, and those that one of these groups reviews. */
export interface SessionViewer {
  readonly name: string
  readonly groups: readonly string[]
  /** More sessions, by the settings of connections. */
  readonly team?: {
    /** Connections where the user sees all sessions. */
    readonly all: readonly string[]
    /** Connections where the user sees the sessions of `users`. */
    readonly connections: readonly string[]
    readonly users: readonly string[]
  }
}

/** A missing filter matches all sessions. */
export interface SessionQuery {
  /** An SQL LIKE pattern. */
  readonly user?: string | undefined
  /** Only sessions that this user may see. `user` applies, too. */
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
  readonly kind?: SessionKind | undefined
  /** Part of a parameter's recorded value, in upper or lower case. Only the newest sessions are searched. */
  readonly parameter?: string | undefined
  readonly correlationId?: string | undefined
  readonly sessionBatchId?: string | undefined
  /** Earliest and latest start. */
  readonly from?: Date | undefined
  readonly to?: Date | undefined
  readonly limit: number
  readonly offset: number
  /** Unset: `capped`, which stops at 10,000. */
  readonly count?: 'capped' | 'exact' | 'none' | undefined
}

export interface HistoryPage {
  /** Newest first. */
  readonly sessions: SessionSummary[]
  readonly hasMore: boolean
  /** On all pages; undefined if the query asks for no count. */
  readonly total: number | undefined
  /** There are more sessions than `total`. */
  readonly isCapped: boolean
}

/** Sessions whose recording began later have larger places. */
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
  /** Output that the agent has left out (`client.truncated_bytes`). */
  readonly truncatedBytes: number
  /** Secrets replaced in the output, by the agent or here. Missing: 0. */
  readonly redactedBytes?: number
  /** Broken rules, as JSON. */
  readonly guardrails?: string
  /** From the agent, as JSON. Missing: nothing was masked. */
  readonly masking?: string
  /** Missing if the exit code says all. */
  readonly cause?: EndCause
  readonly endedAt: Date
}

/**
 * By the letters of protocol.md 10.4: `i` input, `o` output (stdout and stderr), `e` a text about the
 * session, `r` a new size of the terminal (`COLSxROWS`).
 */
export type EventKind = 'i' | 'o' | 'e' | 'r'

/** At most 64 KiB of a session's stream. */
export interface SessionEvent {
  /** Since the session's start. */
  readonly seconds: number
  readonly kind: EventKind
  readonly bytes: Buffer
  /** The command wrote it to stderr. A terminal has no stderr of its own. */
  readonly isStderr?: boolean
}

export function isSessionId(id: string): boolean {
  return /^[\x21-\x7e]{1,200}$/.test(id)
}
