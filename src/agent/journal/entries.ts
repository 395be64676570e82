/** One change of state. Texts may come from a gateway as they are: the line cuts and escapes them. */
export type JournalEntry = AgentEntry | OpenedEntry | StartedEntry | EndedEntry | ConfirmationEntry

/** An agent's `started` without a `stopped` before the next one: it died, and what ran then with it. */
interface AgentEntry {
  readonly event: 'agent'
  readonly state: 'started' | 'stopped'
  readonly version: string
  /** `host:port`, never the key. */
  readonly gateway: string
  readonly pid: number
}

/** What belongs to one execution. */
interface ExecutionEntry {
  readonly sid: string
  /** Set when no client is behind it: what the gateway asked for itself. */
  readonly request?: 'hook' | 'bare-exec' | 'provision' | 'pgmanager'
}

/** A gateway asked for an execution. */
interface OpenedEntry extends ExecutionEntry {
  readonly event: 'opened'
  /** Of a hook: the session it belongs to. */
  readonly session?: string
  /** The connection's name. */
  readonly connection: string
  readonly type: string
  /** What the user came with: a command line, the web, a runbook ... */
  readonly origin: string
  readonly verb: string
  readonly userId: string
  readonly userEmail: string
}

/** Arguments and script are counted, not shown: they may hold secrets. */
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

/** The execution is over and all it took is given back. */
interface EndedEntry extends ExecutionEntry {
  readonly event: 'ended'
  readonly outcome: 'exited' | 'signaled' | 'not-started' | 'refused' | 'failed'
  /** What the gateway is told; undefined when it is told nothing. */
  readonly exitCode: number | undefined
  readonly signal?: string | undefined
  /** A termination reason or the kind of an error. Never its message, which may quote arguments. */
  readonly reason?: string | undefined
  readonly durationMs: number
  /** Output of the command, stdout and stderr together. */
  readonly bytesRead: number
  /** Of that: handed to the stream, left out by the cap, replaced because it was secret. */
  readonly bytesSent: number
  readonly bytesLeftOut: number
  readonly bytesRedacted: number
  /** Background processes that the command left and the agent ended. */
  readonly processesEnded: number
  /** Whether the close was handed to the stream; `confirmed` or `unconfirmed` says what became of it. */
  readonly closeSent: boolean
}

/**
 * `confirmed`: the gateway answered our close with its own. `unconfirmed`: the stream ended before it did, so the
 * gateway's users may not know how the execution ended.
 */
interface ConfirmationEntry {
  readonly event: 'confirmed' | 'unconfirmed'
  readonly sid: string
}
