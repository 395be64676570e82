/** One change of state. Texts may come straight from a gateway; `journalLine` cuts and escapes them. */
export type JournalEntry = AgentEntry | OpenedEntry | StartedEntry | EndedEntry | ConfirmationEntry

/** When an agent's `started` has no `stopped` before the next one, it died, and so did what was running. */
interface AgentEntry {
  readonly event: 'agent'
  readonly state: 'started' | 'stopped'
  readonly version: string
  /** `host:port`, never the key. */
  readonly gateway: string
  readonly pid: number
}

/** The field by which the entries of one execution are found. */
interface ExecutionEntry {
  readonly sid: string
  /** Set when the gateway itself asked, and there is no client. */
  readonly request?: 'hook' | 'bare-exec' | 'provision' | 'pgmanager'
}

interface OpenedEntry extends ExecutionEntry {
  readonly event: 'opened'
  /** For a hook: the session it belongs to. */
  readonly session?: string
  readonly connection: string
  readonly type: string
  /** What the user used: a command line, the web, a runbook ... */
  readonly origin: string
  readonly verb: string
  readonly userId: string
  readonly userEmail: string
}

/** Arguments and script are only counted: they may contain secrets. */
interface StartedEntry extends ExecutionEntry {
  readonly event: 'started'
  readonly pid: number
  /** `argv[0]` as the connection has it, before `$VAR` is expanded. */
  readonly program: string
  /** Without the program. */
  readonly argumentCount: number
  readonly inputBytes: number
  readonly terminal: boolean
}

/** The execution is over, and everything it took has been given back. */
interface EndedEntry extends ExecutionEntry {
  readonly event: 'ended'
  readonly outcome: 'exited' | 'signaled' | 'not-started' | 'refused' | 'failed'
  /** What the gateway is told; undefined when it is told nothing. */
  readonly exitCode: number | undefined
  readonly signal?: string | undefined
  /** A termination reason or the kind of an error. Never an error's message, which may quote arguments. */
  readonly reason?: string | undefined
  /** The rule that was broken: its place and type, and what it says. Or the owner's list that did not allow it. */
  readonly guardrail?: string | undefined
  readonly guardrailMessage?: string | undefined
  readonly durationMs: number
  /** Output of the command, stdout and stderr together. */
  readonly bytesRead: number
  /** What became of `bytesRead`: sent, left out by the cap, replaced because they were secret. */
  readonly bytesSent: number
  readonly bytesLeftOut: number
  readonly bytesRedacted: number
  /** Background processes that the command left behind and the agent ended. */
  readonly processesEnded: number
  /** Whether the close was sent to the gateway. A later `confirmed` or `unconfirmed` says whether it arrived. */
  readonly closeSent: boolean
}

/**
 * `confirmed`: the gateway answered our close with its own. `unconfirmed`: the stream ended before that, so the
 * gateway's users may not know how the execution ended.
 */
interface ConfirmationEntry {
  readonly event: 'confirmed' | 'unconfirmed'
  readonly sid: string
}
