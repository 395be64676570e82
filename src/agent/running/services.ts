import type { Logger } from '../../basics/logger.ts'
import type { RuntimeFolder } from '../../envvars/folder/runtime-folder.ts'
import type { ControlGroups } from '../../runtime/cgroups/control-groups.ts'
import type { OomWatch } from '../../runtime/cgroups/oom-watch.ts'
import type { Engine } from '../../runtime/engine.ts'
import type { TailMemory } from '../../runtime/output-tail.ts'
import type { AgentMessage, AgentOutbound, SessionId } from '../../wire/messages/message.ts'
import type { JournalEntry } from '../journal/entries.ts'
import type { ProgramVersions } from '../opening/client-escapes.ts'
import type { CheckServices } from '../opening/request.ts'
import type { Redactions } from '../output/redaction.ts'

interface SlotsOptions {
  /** Names the slots in the message for a session that gets none. */
  readonly what?: string
  /** Is told how many are taken, each time one is taken or given back. */
  readonly changed?: (taken: number) => void
}

const ignore = (): void => undefined

/** How many commands run at once. No queue: a wait would use up the 50 s that the gateway waits. */
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

  /** The message for a session that gets none. */
  get full(): string {
    return `this agent already runs ${this.#taken} of at most ${this.limit} ${this.#what}: try again later`
  }

  get taken(): number {
    return this.#taken
  }

  /** @returns the slot, to be disposed; undefined when all are taken */
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

/** Rules for commands. An optional one that is missing means no limit, or that the thing is not done. */
interface CommandRules {
  /** Largest captured output in bytes. */
  readonly outputCapBytes?: number
  readonly onCap?: 'continue' | 'kill'
  /** From SIGTERM to SIGKILL, milliseconds. */
  readonly killGraceMs: number
  /** Longest execution, milliseconds. */
  readonly maxDurationMs?: number | undefined
  /** What happens to processes that a command leaves behind. */
  readonly background: 'kill' | 'leave'
}

/** What all commands of one process share. */
export interface CommandServices {
  readonly engine: Engine
  readonly folder: RuntimeFolder
  readonly settings: CommandRules
  /** Variables of our own environment that every command gets. */
  readonly inherited: ReadonlyMap<string, string>
  /** Working folder of every command. */
  readonly cwd: string
  /** Which database clients can be closed. */
  readonly programVersions: ProgramVersions
  /** What is replaced in captured output; undefined replaces nothing. */
  readonly redactions?: Redactions | undefined
  /** How many commands may run; undefined sets no limit. */
  readonly slots?: Slots
  /** Memory for the tails of capped outputs, shared by all. Without it no output is capped. */
  readonly tails?: TailMemory
  /** Makes a control group for each execution; undefined where the agent has no right to. */
  readonly groups?: ControlGroups | undefined
  readonly oom?: OomWatch
  /** Writes the journal: every change of a session's state. */
  readonly record?: (entry: JournalEntry) => void
  readonly log: Logger
}

/** What the sessions of an agent share. */
export interface SessionServices extends CommandServices, CheckServices {
  readonly record: (entry: JournalEntry) => void
  readonly slots: Slots
  readonly tails: TailMemory
}

/** `SessionServices` before there is a stream, when the mode is not yet known. */
export type AgentServices = Omit<SessionServices, 'embedded'>

/** Sends to the gateway; settles when there is room for more. @throws ConnectError when the stream has ended */
export type SessionReply = (message: Exclude<AgentMessage, { kind: 'unsupported' }>) => Promise<void>

/** The same for everything an agent sends. */
export type Send = (message: AgentOutbound) => Promise<void>

/** The way to the gateway. */
export interface Outlet {
  readonly send: Send
  /** Drops the waiting packets of a session that the gateway has closed. */
  readonly forget: (sid: SessionId) => void
}
