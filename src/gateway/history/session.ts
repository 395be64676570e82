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
  /** Missing where the connection had no tags. */
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
  /** Characters of the script as JSON text. Sessions of older versions lack it. */
  readonly scriptSize?: number
  readonly startedAt: Date
}

/** Facts for the audit log about a session's beginning, besides those of the session. */
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
  /** Undefined while open, and when the agent reported none. */
  readonly exitCode: number | undefined
  readonly endedAt?: Date
  /** Bytes of missing output: cut by the agent's limit, or not recorded here. */
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

/** A user who sees their own sessions, and those that these groups review. */
export interface SessionViewer {
  readonly name: string
  readonly groups: readonly string[]
  /** What the settings of connections let the user see. Undefined: nothing more. */
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
  /** Like the next two, an SQL LIKE pattern. */
  readonly user?: string | undefined
  /** Only sessions that this user may see, whatever `user` says. */
  readonly viewer?: SessionViewer | undefined
  /** Status of the session's review; empty for sessions without a review. */
  readonly reviewStatus?: string | undefined
  /** Groups of which at least one reviews the session. */
  readonly reviewGroups?: readonly string[] | undefined
  /** Keys of issues, in any case. The session has one of them. */
  readonly issueKeys?: readonly string[] | undefined
  readonly connection?: string | undefined
  /** Type as configured, e.g. `database`. */
  readonly connectionType?: string | undefined
  /** File of a runbook, as an SQL LIKE pattern. */
  readonly runbook?: string | undefined
  readonly outcomes?: readonly Outcome[] | undefined
  readonly kind?: SessionKind | undefined
  /** Text in a recorded value of the parameters, in any case. Only the newest sessions are searched. */
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
  /** Sessions on all pages; undefined where the query asks for no count. */
  readonly total: number | undefined
  /** Whether there are more sessions than `total`. */
  readonly isCapped: boolean
}

/** A session with its place. Sessions whose recording began later have larger places. */
export interface PlacedSession {
  readonly place: number
  readonly session: SessionSummary
}

/** Why a session has ended, where the exit code does not say it. */
export interface EndCause {
  /** A code of docs/endings-and-codes.md, or a reason of the agent. */
  readonly code: string
  readonly by?: string
}

export interface RecordedEnd {
  readonly exitCode: number | undefined
  /** Bytes of output that the agent has left out (`client.truncated_bytes`). */
  readonly truncatedBytes: number
  /** Bytes of secrets that were replaced in the output, by the agent or here. Missing: none. */
  readonly redactedBytes?: number
  /** Broken guardrail rules, as JSON. */
  readonly guardrails?: string
  /** Facts about the agent's masking, as JSON. Missing: nothing was masked. */
  readonly masking?: string
  /** Missing where the exit code says everything. */
  readonly cause?: EndCause
  readonly endedAt: Date
}

/**
 * Input, output (stdout and stderr) and texts about the session: the letters of protocol.md 10.4. `r` is a
 * new size of the terminal, `COLSxROWS`.
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
