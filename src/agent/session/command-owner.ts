import type { Execution } from '../../runtime/execution.ts'
import type { SessionId } from '../../wire/messages/message.ts'
import type { TerminationReason } from './closing.ts'
import type { Keyboard } from './keyboard.ts'
import type { OutputGate } from '../output/output-gate.ts'

/** The session whose command it is. */
export interface CommandOwner {
  readonly sid: SessionId
  readonly keyboard: Keyboard
  readonly gate: OutputGate
  /** Why the session is to end; undefined while it is not. */
  readonly endReason: TerminationReason | undefined
  /** The command runs: from now on the owner can end it. */
  running(execution: Execution): void
  end(reason: TerminationReason): void
}
