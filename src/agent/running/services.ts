import type { Logger } from '../../basics/logger.ts'
import type { AgentEnvironment } from '../../envvars/entries/agent-environment.ts'
import type { RuntimeFolder } from '../../envvars/folder/runtime-folder.ts'
import type { SecretNames } from '../../policy/redaction/names/secret-names.ts'
import type { ControlGroups } from '../../runtime/linux/cgroup.ts'
import type { Engine } from '../../runtime/engine.ts'
import type { OomWatch } from '../../runtime/linux/oom-watch.ts'
import type { TailSpace } from '../../runtime/output/tail-space.ts'
import type { AgentMessage, AgentOutbound } from '../../wire/messages/message.ts'
import type { ClientVersions } from '../opening/client-versions.ts'
import type { JournalEntry } from '../journal/entries.ts'
import type { Slots } from './slots.ts'

interface SessionSettings {
  /** Largest captured output in bytes; 0 is without limit. */
  readonly outputCapBytes: number
  readonly onCap: 'continue' | 'kill'
  /** SIGTERM to SIGKILL, milliseconds. */
  readonly killGraceMs: number
  /** Longest execution, milliseconds. */
  readonly maxDurationMs: number | undefined
  /** What happens to processes that a command leaves behind. */
  readonly background: 'kill' | 'leave'
  /** Whose values are replaced in captured output; undefined: none. */
  readonly secretNames: SecretNames | undefined
}

/** What the sessions of an agent share. */
export interface SessionServices {
  readonly engine: Engine
  readonly folder: RuntimeFolder
  readonly settings: SessionSettings
  /** The agent's own environment, for what a connection takes from it by reference. */
  readonly agentEnvironment: AgentEnvironment
  /** Whether the agent's whole environment goes over that of every session: `mode=embedded`. */
  readonly embedded: boolean
  /** What children get of it without being asked. */
  readonly inherited: ReadonlyMap<string, string>
  /** Working folder of every command. */
  readonly cwd: string
  readonly slots: Slots
  /** Which database clients can be closed. */
  readonly clientVersions: ClientVersions
  /** Room for the tails of capped outputs, all sessions together. */
  readonly tails: TailSpace
  /** Where each execution gets a control group of its own; undefined where none is delegated. */
  readonly groups: ControlGroups | undefined
  readonly oom: OomWatch
  /** Keeps the books: every change of a session's state. */
  readonly record: (entry: JournalEntry) => void
  readonly log: Logger
}

/** The same before there is a stream, and with it an identity. */
export type AgentServices = Omit<SessionServices, 'embedded'>

/** Sends to the gateway; settles when there is room for more. @throws ConnectError when the stream has ended */
export type SessionReply = (message: Exclude<AgentMessage, { kind: 'unsupported' }>) => Promise<void>

/** The same for all that an agent sends. */
export type Send = (message: AgentOutbound) => Promise<void>
