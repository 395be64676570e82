import type { Logger } from '../../basics/logger.ts'
import type { RuntimeFolder } from '../../envvars/folder/runtime-folder.ts'
import type { ControlGroups } from '../../runtime/cgroups/control-groups.ts'
import type { OomWatch } from '../../runtime/cgroups/oom-watch.ts'
import type { Engine } from '../../runtime/engine.ts'
import type { TailMemory } from '../../runtime/output-tail.ts'
import type { AgentMessage, AgentOutbound } from '../../wire/messages/message.ts'
import type { JournalEntry } from '../journal/entries.ts'
import type { StartedSessions } from '../journal/started-sessions.ts'
import type { ProgramVersions } from '../opening/client-escapes.ts'
import type { CheckServices } from '../opening/request.ts'
import type { Redactions } from '../output/redaction.ts'

interface SlotsOptions {
  /** Noun for the slots in the message for a session without a slot, such as `system requests`. */
  readonly what?: string
  /** Called with the number of taken slots, after each change. */
  readonly changed?: (taken: number) => void
}

const ignore = (): void => undefined

/**
 * Limits the commands that run at the same time. Commands do not wait for a free slot, because the gateway
 * waits only 50 s.
 */
export class Slots {
  readonly limit: number
  readonly #what: string
  readonly #changed: (taken: number) => void
  #taken = 0

  constructor(limit: number, { what = 'executions (limits.sessions)', changed = ignore }: SlotsOptions = {}) {
    this.limit = limit
    this.#what = what
    this.#changed = changed
  }

  /** The message for a session that finds no free slot. */
  get full(): string {
    return `this agent already runs ${this.#taken} of at most ${this.limit} ${this.#what}: try again later`
  }

  get taken(): number {
    return this.#taken
  }

  /** Returns undefined if all slots are taken. */
  take(): Disposable | undefined {
    if (this.#taken >= this.limit) return undefined
    this.#count(1)
    return { [Symbol.dispose]: () => this.#count(-1) }
  }

  #count(more: number): void {
    this.#taken += more
    this.#changed(this.#taken)
  }
}

/** A missing optional rule means no limit, or that the feature is off. */
interface CommandRules {
  readonly outputCapBytes?: number
  readonly onCap?: 'continue' | 'kill'
  /** Milliseconds from SIGTERM to SIGKILL. */
  readonly killGraceMs: number
  readonly maxDurationMs?: number | undefined
  /** What happens to processes that a command leaves. */
  readonly background: 'kill' | 'leave'
}

/** Shared by all commands of one process. */
export interface CommandServices {
  /** Name of this agent. Undefined if it has none, and where no gateway sends sessions. */
  readonly agent?: string
  readonly engine: Engine
  readonly folder: RuntimeFolder
  readonly settings: CommandRules
  /** Variables of the agent's own environment that are passed to every command. */
  readonly inherited: ReadonlyMap<string, string>
  readonly cwd: string
  /** Cache of which database programs can be restricted. */
  readonly programVersions: ProgramVersions
  /** The secrets to replace in captured output. */
  readonly redactions?: Redactions | undefined
  /** Undefined sets no limit. */
  readonly slots?: Slots
  /** Memory for the tails of all capped outputs. Without it no output is capped. */
  readonly tails?: TailMemory
  /** Undefined if the agent may not make groups. */
  readonly groups?: ControlGroups | undefined
  readonly oom?: OomWatch
  /** What this agent has started. Undefined where no gateway sends sessions, and for system requests. */
  readonly started?: StartedSessions | undefined
  /** Writes each change of a session's state to the journal. */
  readonly record?: (entry: JournalEntry) => void
  readonly log: Logger
}

export interface SessionServices extends CommandServices, CheckServices {
  readonly record: (entry: JournalEntry) => void
  readonly slots: Slots
  readonly tails: TailMemory
}

/** `SessionServices` before a stream is opened, when the mode is not yet known. */
export type AgentServices = Omit<SessionServices, 'embedded'>

/**
 * Returns a promise if the stream accepts no more. The promise rejects with a ConnectError if the stream
 * ends.
 */
export type SessionReply = (
  message: Exclude<AgentMessage, { kind: 'unsupported' }>,
) => Promise<void> | undefined

export type Send = (message: AgentOutbound) => Promise<void> | undefined
