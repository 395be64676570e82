/** The texts of an entry may come from a gateway unchanged; `journalLine` cuts and escapes them. */
export type JournalEntry =
  AgentEntry | OpenedEntry | StartingEntry | StartedEntry | EndedEntry | ConfirmationEntry

/**
 * If no `stopped` entry is between two `started` entries, the agent died, and all running executions with it.
 */
interface AgentEntry {
  readonly event: 'agent'
  readonly state: 'started' | 'stopped'
  readonly version: string
  /** `host:port`, never the key. */
  readonly gateway: string
  readonly pid: number
}

interface ExecutionEntry {
  readonly sid: string
  /** Set if the gateway itself sent the request, and there is no client. */
  readonly request?: 'hook' | 'bare-exec' | 'provision' | 'pgmanager'
}

interface OpenedEntry extends ExecutionEntry {
  readonly event: 'opened'
  /** Id of the session to which a hook belongs. */
  readonly session?: string
  readonly connection: string
  readonly type: string
  /** The program that the user used: a command line, the web, a runbook ... */
  readonly origin: string
  readonly verb: string
  readonly userId: string
  readonly userEmail: string
}

/**
 * Written before the command starts, or before the first native client is served. Without this entry, a killed
 * agent would not know what it had started (`started-sessions.ts`).
 */
interface StartingEntry {
  readonly event: 'starting'
  readonly sid: string
}

/** Arguments and script are only counted: they may contain secrets. */
interface StartedEntry extends ExecutionEntry {
  readonly event: 'started'
  readonly pid: number
  /** `argv[0]` as the connection has it, before `$VAR` is expanded. */
  readonly program: string
  /** Number of arguments, without the program. */
  readonly argumentCount: number
  readonly inputBytes: number
  readonly terminal: boolean
}

/** An execution that is over and has released all its resources. */
interface EndedEntry extends ExecutionEntry {
  readonly event: 'ended'
  readonly outcome: 'exited' | 'signaled' | 'not-started' | 'refused' | 'failed'
  /** Undefined if no exit code is sent to the gateway. */
  readonly exitCode: number | undefined
  readonly signal?: string | undefined
  /** A termination reason or the kind of an error. Never an error's message, which may quote arguments. */
  readonly reason?: string | undefined
  /** Place and type of the broken rule, or the owner's list that did not allow the execution. */
  readonly guardrail?: string | undefined
  readonly guardrailMessage?: string | undefined
  readonly durationMs: number
  /** Stdout and stderr together. */
  readonly bytesRead: number
  /**
   * Parts of `bytesRead`: bytes that were sent, bytes that the cap left out, and bytes that were replaced
   * because they were secret.
   */
  readonly bytesSent: number
  readonly bytesLeftOut: number
  readonly bytesRedacted: number
  /** Background processes that the command left and the agent ended. */
  readonly processesEnded: number
  /** A later `confirmed` or `unconfirmed` says whether the close arrived at the gateway. */
  readonly closeSent: boolean
}

/**
 * `confirmed`: the gateway answered the agent's close. `unconfirmed`: the stream ended before the answer, so
 * the gateway's users may not know how the execution ended.
 */
interface ConfirmationEntry {
  readonly event: 'confirmed' | 'unconfirmed'
  readonly sid: string
}

/**
 * Maximum length of a line in bytes, with the newline. A write of at most this length does not mix with the
 * lines of other agents.
 */
export const MAX_LINE_BYTES = 4096
/**
 * Maximum length of a text in UTF-16 units. It is halved until the line fits. At 64 the line always fits,
 * even if all characters are escaped.
 */
const MAX_TEXT = 256

type FieldOf<Entry> = Entry extends unknown ? keyof Entry : never

/** The fields of a line and their order. Other properties of an entry are not written. */
const FIELDS: Readonly<Record<FieldOf<JournalEntry>, true>> = {
  event: true,
  sid: true,
  request: true,
  session: true,
  state: true,
  version: true,
  gateway: true,
  connection: true,
  type: true,
  origin: true,
  verb: true,
  userId: true,
  userEmail: true,
  pid: true,
  program: true,
  argumentCount: true,
  inputBytes: true,
  terminal: true,
  outcome: true,
  exitCode: true,
  signal: true,
  reason: true,
  guardrail: true,
  guardrailMessage: true,
  durationMs: true,
  bytesRead: true,
  bytesSent: true,
  bytesLeftOut: true,
  bytesRedacted: true,
  processesEnded: true,
  closeSent: true,
}
const ORDER = ['time', 'agent', ...Object.keys(FIELDS)]

/** Returns one line of JSON with its newline, at most MAX_LINE_BYTES. */
export function journalLine(entry: JournalEntry, agent: string, time: Date): Buffer {
  const fields = { time: time.toISOString(), agent, ...entry }
  let limit = MAX_TEXT
  let line = format(fields, limit)
  while (line.length > MAX_LINE_BYTES) {
    limit = Math.floor(limit / 2)
    line = format(fields, limit)
  }
  return line
}

function format(fields: Readonly<Record<string, unknown>>, limit: number): Buffer {
  const shown: Record<string, unknown> = {}
  for (const name of ORDER) if (fields[name] !== undefined) shown[name] = cut(fields[name], limit)
  return Buffer.from(`${escapeControls(JSON.stringify(shown))}\n`)
}

/** A cut may leave half a surrogate pair, which some JSON readers refuse. */
function cut(value: unknown, limit: number): unknown {
  if (typeof value !== 'string') return value
  return value.slice(0, limit).toWellFormed()
}

/** Returns an id as the journal has it. */
export function shortened(sid: string): string {
  return sid.slice(0, MAX_TEXT).toWellFormed()
}

/** Escapes control characters that JSON leaves unchanged, but a terminal may obey. */
function escapeControls(json: string): string {
  return json.replaceAll(/[\x7f-\x9f]/g, (raw) => `\\u00${raw.charCodeAt(0).toString(16)}`)
}
