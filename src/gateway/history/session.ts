import type { Outcome, SessionKind } from '../../contract/session-state.ts'

/** What a client asked for, known when its session begins. */
export interface NewSession {
  /** Printable ASCII without spaces, at most 200 characters. */
  readonly id: string
  readonly origin: 'client-api' | 'client-api-runbooks' | 'client'
  readonly verb: string
  readonly connection: string
  readonly connectionType: string
  readonly connectionSubtype?: string
  /** Missing where it had none. */
  readonly connectionTags?: Readonly<Record<string, string>>
  readonly user: string
  /** A port for native clients: the record has statements where that of a terminal has output. */
  readonly isPort?: true
  /** The input the agent got; empty for a terminal. */
  readonly script: Buffer
  readonly labels: Readonly<Record<string, string>>
  /** Anything that JSON can carry. */
  readonly metadata: Readonly<Record<string, unknown>>
  readonly sessionBatchId?: string
  readonly correlationId?: string
  /** Characters of the script as a text of JSON. Sessions of older versions have none. */
  readonly scriptSize?: number
  readonly startedAt: Date
}

/** What the audit log says of a session's beginning beside what the session has. */
export interface SessionAsking {
  /** Where the request came from. */
  readonly clientIp?: string | undefined
  /** By which it came. */
  readonly token?: { readonly id: string; readonly name: string } | undefined
  /** People have to approve it first. */
  readonly waits?: true
}

/** What other rooms know of a session, under a name of theirs. They add it by `declare module`, and a SessionPart reads it. */
export interface SessionFacts {}

/** One session as the history knows it, without its script. */
export interface SessionSummary extends Omit<NewSession, 'script'>, SessionFacts {
  /** `ready`: approved, and not run yet. `open`: it runs, or waits for people. */
  readonly status: 'open' | 'ready' | 'done'
  /** Undefined while open, and when the agent's close had none. */
  readonly exitCode: number | undefined
  readonly endedAt?: Date
  /** Output that is missing: left out by the agent's limit, or not recorded here. */
  readonly truncatedBytes: number
  /** Bytes of secrets that were replaced in the output, by the agent or here; 0 while it is open. */
  readonly redactedBytes: number
  /** The guardrail rules that were broken, as JSON. */
  readonly guardrails?: string
  readonly cause?: EndCause
  /** What the agent has masked, as JSON. */
  readonly masking?: string
  /** Recorded so far. */
  readonly outputBytes: number
}

/** A user who sees their own sessions, and those that these groups review. */
export interface SessionViewer {
  readonly name: string
  readonly groups: readonly string[]
  /** What the settings of connections let the user see. Undefined: nothing. */
  readonly team?: {
    /** Connections whose sessions the user sees all. */
    readonly all: readonly string[]
    /** Connections on which the user sees the sessions of these other users. */
    readonly connections: readonly string[]
    readonly users: readonly string[]
  }
}

/** Which sessions to list. A filter that is missing lets all of them through. */
export interface SessionQuery {
  /** This and the next two are SQL LIKE patterns. */
  readonly user?: string | undefined
  /** Only what this user may see, whatever `user` says. */
  readonly viewer?: SessionViewer | undefined
  /** The status of the session's review; empty for sessions without one. */
  readonly reviewStatus?: string | undefined
  /** Groups of which one reviews the session. */
  readonly reviewGroups?: readonly string[] | undefined
  /** Keys of issues, of which the session has one, in any case of letters. */
  readonly issueKeys?: readonly string[] | undefined
  readonly connection?: string | undefined
  /** As configured, e.g. `database`. */
  readonly connectionType?: string | undefined
  /** The file of a runbook, as an SQL LIKE pattern. */
  readonly runbook?: string | undefined
  readonly outcomes?: readonly Outcome[] | undefined
  readonly kind?: SessionKind | undefined
  /** A text in the recorded values of its parameters, in any case of letters. Only the newest sessions are looked at. */
  readonly parameter?: string | undefined
  readonly correlationId?: string | undefined
  readonly sessionBatchId?: string | undefined
  /** The earliest and the latest moment at which the session may have begun. */
  readonly from?: Date | undefined
  readonly to?: Date | undefined
  readonly limit: number
  readonly offset: number
  /** Unset: `capped`, which stops at 10,000. */
  readonly count?: 'capped' | 'exact' | 'none' | undefined
}

/** What a query has found. */
export interface HistoryPage {
  /** Newest first. */
  readonly sessions: SessionSummary[]
  readonly hasMore: boolean
  /** Sessions on all pages; undefined where they were not to be counted. */
  readonly total: number | undefined
  /** There are more than `total`. */
  readonly isCapped: boolean
}

/** A session, and a number that is larger for those that began to be recorded later. */
export interface PlacedSession {
  readonly place: number
  readonly session: SessionSummary
}

/** Why a session has ended, where its exit code does not say it. */
export interface EndCause {
  /** A code of docs/endings-and-codes.md, or a reason of the agent. */
  readonly code: string
  /** The user who has ended it. */
  readonly by?: string
}

export interface RecordedEnd {
  readonly exitCode: number | undefined
  /** What the agent has left out of the output (`client.truncated_bytes`). */
  readonly truncatedBytes: number
  /** Bytes of secrets that were replaced in the output, by the agent or here. Missing: none. */
  readonly redactedBytes?: number
  /** The guardrail rules that were broken, as JSON. */
  readonly guardrails?: string
  /** What the agent has masked, as JSON. Missing: nothing. */
  readonly masking?: string
  /** Missing where the exit code says all. */
  readonly cause?: EndCause
  readonly endedAt: Date
}

/**
 * Input, output (stdout and stderr) and texts about the session: the letters of protocol.md 10.4. `r` is a new
 * size of the terminal, `COLSxROWS`.
 */
export type EventKind = 'i' | 'o' | 'e' | 'r'

/** A piece of a session's stream, at most 64 KiB long. */
export interface SessionEvent {
  /** Since the session's start. */
  readonly seconds: number
  readonly kind: EventKind
  readonly bytes: Buffer
  /** Whether the command has written this output to stderr. A terminal has no stderr of its own. */
  readonly isStderr?: boolean
}

export function isSessionId(id: string): boolean {
  return /^[\x21-\x7e]{1,200}$/.test(id)
}
