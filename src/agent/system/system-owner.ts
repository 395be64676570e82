import type { Execution } from '../../runtime/execution.ts'
import type { SessionId } from '../../wire/messages/message.ts'
import type { TerminationReason } from '../session/closing.ts'
import type { CommandOwner } from '../session/command-owner.ts'
import { Keyboard } from '../session/keyboard.ts'
import { OutputGate } from '../output/output-gate.ts'

/** Whose command it is when no client is there: the request with this id. */
export class SystemOwner implements CommandOwner {
  readonly sid: SessionId
  /** Nobody types. */
  readonly keyboard = new Keyboard()
  /** Nor does anybody pause its output. */
  readonly gate = new OutputGate()
  #execution: Execution | undefined
  #endReason: TerminationReason | undefined

  constructor(sid: SessionId) {
    this.sid = sid
  }

  get endReason(): TerminationReason | undefined {
    return this.#endReason
  }

  running(execution: Execution): void {
    this.#execution = execution
    // The end may have come while the program was being started.
    if (this.#endReason !== undefined) execution.terminate()
  }

  /** The first reason wins; of a command that has ended by itself none is. */
  end(reason: TerminationReason): void {
    if (this.#execution?.hasEnded === true) return
    this.#endReason ??= reason
    this.#execution?.terminate()
  }
}
