import type { RuntimeFolder } from '../envvars/runtime-folder.ts'
import type { Engine } from '../runtime/engine.ts'
import type { MemoryBudget } from '../runtime/memory-budget.ts'
import type { AgentMessage } from '../wire/message.ts'
import type { Logger } from '../basics/logger.ts'
import type { Slots } from './slots.ts'

interface SessionSettings {
  /** Largest captured output in bytes; 0 is without limit. */
  readonly outputCapBytes: number
  /** SIGTERM to SIGKILL, milliseconds. */
  readonly killGraceMs: number
  /** Longest execution, milliseconds. */
  readonly maxDurationMs: number | undefined
}

/** What the sessions of an agent share. */
export interface SessionServices {
  readonly engine: Engine
  readonly folder: RuntimeFolder
  readonly settings: SessionSettings
  /** What children get of the agent's own environment. */
  readonly inherited: ReadonlyMap<string, string>
  /** Working folder of every command. */
  readonly cwd: string
  readonly slots: Slots
  /** Memory for the tails of capped outputs, all sessions together. */
  readonly tails: MemoryBudget
  readonly log: Logger
}

/** Sends to the gateway; settles when there is room for more. @throws ConnectError when the stream has ended */
export type Reply = (message: Exclude<AgentMessage, { kind: 'unsupported' }>) => Promise<void>
