import { onAbort } from '../basics/abort.ts'
import type { WindowSize } from '../basics/window-size.ts'
import { ConnectError } from '../dial/connect-error.ts'
import type { Chunk } from '../runtime/child.ts'
import type { OpenMessage, SessionId } from '../wire/messages/message.ts'
import type { MaskingResult } from './masking/masking-result.ts'
import { checkRequest, type CommandRequest } from './opening/request.ts'
import { startedBefore } from './refused.ts'
import {
  endedEntry,
  endingRefused,
  hasRun,
  type CommandEnd,
  type TerminationReason,
} from './running/ending.ts'
import { RunningCommand, type Start } from './running/running-command.ts'
import type { SessionReply, SessionServices } from './running/services.ts'
import { deferred } from '../basics/deferred.ts'

type AgentSessionState =
  | { readonly name: 'opening'; readonly open: OpenMessage }
  /** Waits for the input that starts the command. */
  | { readonly name: 'open'; readonly start: (start: Start) => void; readonly cancel: () => void }
  | { readonly name: 'started' }
  /** The session was ended or refused before the input came. No command starts any more. */
  | { readonly name: 'cancelled' }
  | { readonly name: 'closed' }

/** One client's conversation, from its opening to its close. It runs one command at most. */
export class AgentSession {
  readonly sid: SessionId
  /**
   * Whether the session was opened for a terminal. Only the opening decides: a client can forge later
   * packets.
   */
  readonly #isInteractive: boolean
  readonly #services: SessionServices
  readonly #reply: SessionReply
  readonly #command: RunningCommand
  #state: AgentSessionState
  #refusal: string | undefined
  #masking: MaskingResult | undefined

  constructor(open: OpenMessage, services: SessionServices, reply: SessionReply) {
    this.sid = open.sid
    this.#isInteractive = open.params.clientVerb === 'connect'
    this.#state = { name: 'opening', open }
    this.#services = services
    this.#reply = reply
    this.#command = new RunningCommand(open.sid, services)
  }

  /**
   * Whether the start of the command has not begun. Until it begins, the gateway may open the session again.
   */
  get idle(): boolean {
    return this.#state.name === 'opening' || this.#state.name === 'open'
  }

  get endReason(): TerminationReason | undefined {
    return this.#command.reason
  }

  /** Settles when the session is over and all its resources are released. Never rejects. */
  async run(): Promise<void> {
    if (this.#state.name !== 'opening') return
    const served = this.#checkAndRun(this.#state.open).catch((error: unknown) =>
      this.#command.notRun(error as Error),
    )
    const ending = this.#withRefusal(await served)
    const closeSent = await this.#close(ending).catch((error: unknown) => this.#bug(error as Error))
    this.#state = { name: 'closed' }
    this.#account(ending, closeSent)
  }

  async #checkAndRun(open: OpenMessage): Promise<CommandEnd> {
    const { signal } = this.#command
    if (this.#services.started?.has(this.sid) === true) throw startedBefore()
    const request = await checkRequest(open, this.#services, signal)
    this.#masking = request.masking?.result
    if (signal.aborted || this.#refusal !== undefined) return this.#command.notRun()
    // The wait begins before the gateway learns that the session is open, because the script may arrive
    // immediately after.
    const input = this.#awaitInput(signal)
    await this.#tellOpened(open, request)
    const start = await input
    if (start === undefined) return this.#command.notRun()
    // There is no `await`, because this function would then keep script and secrets in memory as long as the
    // command runs.
    return this.#command.run({ request, start }, (chunk) => this.#send(chunk))
  }

  /**
   * Starts the script. A second script gets no answer: an answer would be a close, and would end the session
   * in which the first script runs.
   */
  startScript(stdin: Buffer): void {
    const state = this.#state
    if (!this.#isInteractive && state.name === 'open') return state.start({ kind: 'script', stdin })
    this.#services.log.warn({ sid: this.sid, state: state.name }, 'an unexpected script was ignored')
  }

  /** The first packet only starts the terminal, and its payload is dropped (protocol.md 0.5). */
  type(data: Buffer): void {
    if (!this.#isInteractive) return
    if (this.#state.name === 'open') return this.#state.start({ kind: 'terminal' })
    if (this.#state.name !== 'started') return
    // Some keys were lost, so the session is ended. The following keys alone could be a command that nobody
    // wrote.
    if (!this.#command.type(data)) this.end('input-limit')
  }

  resize(size: WindowSize): void {
    this.#command.resize(size)
  }

  pause(): void {
    this.#command.gate.pause()
  }

  resume(): void {
    this.#command.gate.resume()
  }

  /** Called at the end of the stream: the gateway cannot send a resume any more. */
  resumeForGood(): void {
    this.#command.gate.openForGood()
  }

  /**
   * Closes a session that has not started, with exit code 254 and the message. A running command continues.
   */
  refuse(message: string): void {
    if (!this.idle) return
    this.#refusal ??= message
    if (this.#state.name === 'open') this.#state.cancel()
  }

  /** The first reason wins. */
  end(reason: TerminationReason): void {
    this.#command.end(reason)
  }

  /** A refusal replaces the end of a command that never ran. A command that has run keeps its own end. */
  #withRefusal(ending: CommandEnd): CommandEnd {
    if (this.#refusal === undefined || ending.outcome !== 'not-started') return ending
    return { ...endingRefused(this.#refusal), reason: ending.reason }
  }

  /** Returns undefined if the session is ended or refused before the input arrives. */
  async #awaitInput(ended: AbortSignal): Promise<Start | undefined> {
    const input = deferred<Start | undefined>()
    const leave = (name: 'started' | 'cancelled', start?: Start) => {
      // The state changes here, not after `await input`. The first keys may be routed before the code after
      // the `await` runs, and they need a started session.
      this.#state = { name }
      input.resolve(start)
    }
    const cancel = () => leave('cancelled')
    this.#state = { name: 'open', start: (start) => leave('started', start), cancel }
    // `using` removes the listener. Otherwise the signal would keep the listener, and with it the script, in
    // memory as long as the session lives.
    using _ = onAbort(ended, cancel)
    return await input.promise
  }

  async #tellOpened({ connectionType, requestPort }: OpenMessage, { argv }: CommandRequest): Promise<void> {
    await this.#reply({ kind: 'opened', sid: this.sid, connectionType, requestPort, command: argv.join(' ') })
  }

  async #send({ stream, data }: Chunk): Promise<void> {
    const masked = this.#masking?.take()
    const message = { kind: stream, sid: this.sid, data, ...(masked !== undefined && { masked }) }
    if (!(await this.#told(message))) this.#command.discardOutput()
  }

  /**
   * Sends nothing if the gateway ended the session before the command ran, because the gateway then expects
   * no close (protocol.md 0.6).
   */
  async #close(ending: CommandEnd): Promise<boolean> {
    // The reason is checked only now: the gateway may have closed the session while secret files were being
    // removed.
    if (this.endReason === 'closed-by-gateway' && !hasRun(ending)) return false
    const masked = this.#masking?.takeLast()
    return await this.#told({
      kind: 'closed',
      sid: this.sid,
      exitCode: ending.exitCode,
      message: ending.message,
      truncatedBytes: ending.bytes.leftOut,
      redactedBytes: ending.bytes.redacted,
      ...(masked !== undefined && { masked }),
      ...(ending.blocked !== undefined && { guardrails: [ending.blocked.info] }),
      ...endReasonOf(ending),
    })
  }

  /** Returns false if the stream has ended. */
  async #told(message: Parameters<SessionReply>[0]): Promise<boolean> {
    try {
      await this.#reply(message)
      return true
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error
      return false
    }
  }

  #bug({ message, stack }: Error): false {
    this.#services.log.error({ sid: this.sid, error: message, stack }, 'session failed: this is a bug')
    return false
  }

  #account(ending: CommandEnd, closeSent: boolean): void {
    const { exitCode, outcome, bytes, reason, refusal, blocked, forbiddenBy: rule } = ending
    const { sid } = this
    if (refusal !== undefined)
      this.#services.log.warn({ sid, reason: refusal, ...(rule && { rule }) }, 'session refused')
    if (blocked !== undefined)
      this.#services.log.warn({ sid, rule: blocked.rule }, 'a guardrail rule was broken')
    this.#services.record(endedEntry(sid, ending, closeSent))
    const fields = { sid, exitCode, truncatedBytes: bytes.leftOut, reason }
    if (closeSent) this.#services.log.info(fields, 'session closed')
    else this.#services.log.warn({ ...fields, outcome }, 'session ended; its end was not sent to the gateway')
  }
}

/** Returns nothing if the command has ended by itself. */
function endReasonOf({ reason, outcome }: CommandEnd): { readonly endReason?: string } {
  const endReason = reason ?? (outcome === 'refused' ? outcome : undefined)
  return endReason === undefined ? {} : { endReason }
}
