import type { Outcome, SessionKind } from '../../contract/session-state.ts'

/** A client's request, known when its session begins. */
export interface NewSession {
  /** Printable ASCII without spaces, at most 200 characters. */
  readonly id: string
  readonly origin: 'client-api' | 'client-api-runbooks' | 'client'
  readonly verb: string
  readonly connection: string
  readonly connectionType: string
  readonly connectionSubtype?: string
  /** Missing if the connection had no tags. */
  readonly connectionTags?: Readonly<Record<string, string>>
  readonly user: string
  /** Set for a port of native clients. Its record has statements instead of a terminal's output. */
  readonly isPort?: true
  /** Input that the agent received; empty for a terminal. */
  readonly script: Buffer
  readonly labels: Readonly<Record<string, string>>
  readonly metadata: Readonly<Record<string, unknown>>
  readonly sessionBatchId?: string
  readonly correlationId?: string
  /** Number of characters of the script as JSON text. Missing in sessions that older versions recorded. */
  readonly scriptSize?: number
  readonly startedAt: Date
}

/** Facts for the audit log about a session's beginning, besides the facts of the session. */
export interface SessionAsking {
  readonly clientIp?: string | undefined
  readonly token?: { readonly id: string; readonly name: string } | undefined
  /** Set when the session needs an approval first. */
  readonly waits?: true
}

/**
 * Facts that other rooms add to a session, each under its own name. Rooms add them by `declare module`, and a
 * SessionPart reads them.
 */
export interface SessionFacts {}

/** A session in the history, without its script. */
export interface SessionSummary extends Omit<NewSession, 'script'>, SessionFacts {
  /** `ready`: approved, but not yet run. `open`: running, or waiting for an approval. */
  readonly status: 'open' | 'ready' | 'done'
  /** Undefined while the session is open, and if the agent reported no exit code. */
  readonly exitCode: number | undefined
  readonly endedAt?: Date
  /** Bytes of missing output, which the agent's limit has cut or the history has not recorded. */
  readonly truncatedBytes: number
  /** Bytes of secrets that were replaced in the output, by the agent or here; 0 while the session is open. */
  readonly redactedBytes: number
  /** Broken guardrail rules, as JSON. */
  readonly guardrails?: string
  readonly cause?: EndCause
  /** Facts about the agent's masking, as JSON. */
  readonly masking?: string
  /** Bytes recorded so far. */
  readonly outputBytes: number
}

/** A user who sees their own sessions, and sessions that one of these groups reviews. */
export interface SessionViewer {
  readonly name: string
  readonly groups: readonly string[]
  /** Further sessions that the settings of connections let the user see. Undefined: no further sessions. */
  readonly team?: {
    /** Connections where the user sees all sessions. */
    readonly all: readonly string[]
    /** Connections where the user sees the sessions of `users`. */
    readonly connections: readonly string[]
    readonly users: readonly string[]
  }
}

/** Filters of a list of sessions. A missing filter matches all sessions. */
export interface SessionQuery {
  /** An SQL LIKE pattern. */
  readonly user?: string | undefined
  /** Only sessions that this user may see. The filter `user` applies, too. */
  readonly viewer?: SessionViewer | undefined
  /** Status of the session's review, as an SQL LIKE pattern; empty for sessions without a review. */
  readonly reviewStatus?: string | undefined
  /** Groups of which at least one reviews the session. */
  readonly reviewGroups?: readonly string[] | undefined
  /** Keys of Jira issues, in upper or lower case. The session has one of these issues. */
  readonly issueKeys?: readonly string[] | undefined
  /** An SQL LIKE pattern. */
  readonly connection?: string | undefined
  /** Type as configured, for example `database`, as an SQL LIKE pattern. */
  readonly connectionType?: string | undefined
  /** File of a runbook, as an SQL LIKE pattern. */
  readonly runbook?: string | undefined
  readonly outcomes?: readonly Outcome[] | undefined
  readonly kind?: SessionKind | undefined
  /**
   * Text in a recorded value of the parameters, in upper or lower case. Only the newest sessions are
   * searched.
   */
  readonly parameter?: string | undefined
  readonly correlationId?: string | undefined
  readonly sessionBatchId?: string | undefined
  /** Earliest and latest start of the session. */
  readonly from?: Date | undefined
  readonly to?: Date | undefined
  readonly limit: number
  readonly offset: number
  /** Unset: `capped`, which stops at 10,000. */
  readonly count?: 'capped' | 'exact' | 'none' | undefined
}

export interface HistoryPage {
  /** Sessions, newest first. */
  readonly sessions: SessionSummary[]
  readonly hasMore: boolean
  /** Number of sessions on all pages; undefined if the query asks for no count. */
  readonly total: number | undefined
  /** Whether there are more sessions than `total`. */
  readonly isCapped: boolean
}

/** A session with its place. Sessions whose recording began later have larger places. */
export interface PlacedSession {
  readonly place: number
  readonly session: SessionSummary
}

/** Reason why a session has ended, if the exit code does not show it. */
export interface EndCause {
  /** A code of docs/endings-and-codes.md, or a reason of the agent. */
  readonly code: string
  readonly by?: string
}

export interface RecordedEnd {
  readonly exitCode: number | undefined
  /** Bytes of output that the agent has left out (`client.truncated_bytes`). */
  readonly truncatedBytes: number
  /** Bytes of secrets that were replaced in the output, by the agent or here. Missing: no bytes. */
  readonly redactedBytes?: number
  /** Broken guardrail rules, as JSON. */
  readonly guardrails?: string
  /** Facts about the agent's masking, as JSON. Missing: nothing was masked. */
  readonly masking?: string
  /** Missing if the exit code is the only reason. */
  readonly cause?: EndCause
  readonly endedAt: Date
}

/**
 * Kinds of events, by the letters of protocol.md 10.4. `i` is input, `o` is output (stdout and stderr), and
 * `e` is a text about the session. `r` is a new size of the terminal, `COLSxROWS`.
 */
export type EventKind = 'i' | 'o' | 'e' | 'r'

/** A piece of a session's stream, at most 64 KiB long. */
export interface SessionEvent {
  /** Seconds since the session's start. */
  readonly seconds: number
  readonly kind: EventKind
  readonly bytes: Buffer
  /** Whether the command has written this output to stderr. A terminal has no stderr of its own. */
  readonly isStderr?: boolean
}

export function isSessionId(id: string): boolean {
  return /^[\x21-\x7e]{1,200}$/.test(id)
}
