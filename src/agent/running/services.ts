import type { Logger } from '../../basics/logger.ts'
import type { AgentEnvironment } from '../../envvars/entries/agent-environment.ts'
import type { RuntimeFolder } from '../../envvars/folder/runtime-folder.ts'
import type { SecretNames } from '../../policy/redaction/names/secret-names.ts'
import type { ControlGroups } from '../../runtime/linux/cgroup.ts'
import type { Engine } from '../../runtime/engine.ts'
import type { OomWatch } from '../../runtime/linux/oom-watch.ts'
import type { TailMemory } from '../../runtime/output/output-tail.ts'
import type { AgentMessage, AgentOutbound } from '../../wire/messages/message.ts'
import type { ClientVersions } from '../opening/client-versions.ts'
import type { JournalEntry } from '../journal/entries.ts'
import type { Slots } from './slots.ts'

/** What is left out there has no limit, or is not done. */
interface CommandRules {
  /** Largest captured output in bytes. */
  readonly outputCapBytes?: number
  readonly onCap?: 'continue' | 'kill'
  /** SIGTERM to SIGKILL, milliseconds. */
  readonly killGraceMs: number
  /** Longest execution, milliseconds. */
  readonly maxDurationMs?: number | undefined
  /** What happens to processes that a command leaves behind. */
  readonly background: 'kill' | 'leave'
  /** Whose values are replaced in captured output; undefined: none. */
  readonly secretNames?: SecretNames | undefined
}

/** What commands share that run in one process. */
export interface CommandServices {
  readonly engine: Engine
  readonly folder: RuntimeFolder
  readonly settings: CommandRules
  /** What children get of our environment without being asked. */
  readonly inherited: ReadonlyMap<string, string>
  /** Working folder of every command. */
  readonly cwd: string
  /** Which database clients can be closed. */
  readonly clientVersions: ClientVersions
  /** How many may run; undefined: any number. */
  readonly slots?: Slots
  /** For the tails of capped outputs, all together; without it nothing is capped. */
  readonly tails?: TailMemory
  /** Where each execution gets a control group of its own; undefined where none is delegated. */
  readonly groups?: ControlGroups | undefined
  readonly oom?: OomWatch
  /** Writes the journal: every change of a session's state. */
  readonly record?: (entry: JournalEntry) => void
  readonly log: Logger
}

/** What the sessions of an agent share. */
export interface SessionServices extends CommandServices {
  /** The agent's own environment, for what a connection takes from it by reference. */
  readonly agentEnvironment: AgentEnvironment
  /** Whether the agent's whole environment goes over that of every session: `mode=embedded`. */
  readonly embedded: boolean
  readonly record: (entry: JournalEntry) => void
  readonly slots: Slots
  readonly tails: TailMemory
}

/** The same before there is a stream, and with it an identity. */
export type AgentServices = Omit<SessionServices, 'embedded'>

/** Sends to the gateway; settles when there is room for more. @throws ConnectError when the stream has ended */
export type SessionReply = (message: Exclude<AgentMessage, { kind: 'unsupported' }>) => Promise<void>

/** The same for all that an agent sends. */
export type Send = (message: AgentOutbound) => Promise<void>
