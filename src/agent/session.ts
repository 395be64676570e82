import type { WindowSize } from '../../basics/window-size.ts'
import type { Execution } from '../../runtime/execution.ts'
import type { OpenMessage, SessionId } from '../../wire/messages/message.ts'
import {
  closingRefused,
  closingUnstarted,
  type TerminationReason,
  endedEntry,
  notRun,
  type Ended,
} from './closing.ts'
import type { CommandOwner } from './command-owner.ts'
import { ConnectError } from '../../dial/connect-error.ts'
import { Keyboard } from './keyboard.ts'
import { OutputGate } from '../output/output-gate.ts'
import { checkRequest, type CommandRequest, isRefusal } from '../opening/request.ts'
import { runCommand, type Start } from './run-command.ts'
import type { SessionReply, SessionServices } from './session-services.ts'

/** None of these is the reason when the command has ended by itself. */
const NEVER_LATE: ReadonlySet<TerminationReason> = new Set(['timeout', 'agent-stopping', 'input-limit'])

/** A state holds exactly what is true in it. */
type SessionState =
  | { readonly name: 'opening' }
  | { readonly name: 'open'; readonly begin: (start: Start) => void; readonly giveUp: () => void }
  | { readonly name: 'starting' }
  | { readonly name: 'running'; readonly execution: Execution }
  | { readonly name: 'closed' }

/** One client's conversation, from its opening to its close: at most one execution. */
export class AgentSession implements CommandOwner {
  readonly sid: SessionId
  readonly keyboard = new Keyboard()
  readonly gate = new OutputGate()
  readonly #open: OpenMessage
  readonly #services: SessionServices
  readonly #reply: SessionReply
  #state: SessionState = { name: 'opening' }
  #endReason: TerminationReason | undefined
  #refusal: string | undefined
  #unmasked: string | undefined

  constructor(open: OpenMessage, services: SessionServices, reply: SessionReply) {
    this.sid = open.sid
    this.#open = open
    this.#services = services
    this.#reply = reply
  }

  /** True until the command is about to start: such a session may still be opened anew. */
  get idle(): boolean {
    return this.#state.name === 'opening' || this.#state.name === 'open'
  }

  get endReason(): TerminationReason | undefined {
    return this.#endReason
  }

  /** Serves the session; settles when it is over and everything it took is given back. Never rejects. */
  async run(): Promise<void> {
    const ended = await this.#serve()
    const closeSent = await this.#close(ended)
    this.#state = { name: 'closed' }
    this.#account(ended, closeSent)
  }

  /** A client can forge packets into its session: a session opened to run one script does not become a terminal. */
  get interactive(): boolean {
    return this.#open.params.clientVerb === 'connect'
  }

  /** The script has come. A second one is refused by silence: a close would end the first one's session. */
  begin(stdin: Buffer): void {
    if (this.#state.name === 'open' && !this.interactive) this.#state.begin({ kind: 'script', stdin })
    else
      this.#services.log.warn(
        { sid: this.sid, state: this.#state.name },
        'a script came out of turn and was ignored',
      )
  }

  /** Keys. The first packet only starts the terminal, its payload is dropped (protocol.md 0.5). */
  type(data: Buffer): void {
    if (!this.interactive) return
    switch (this.#state.name) {
      case 'open':
        return this.#state.begin({ kind: 'terminal' })
      case 'starting':
      case 'running':
        // To go on with a hole in what was typed could run something that nobody wrote.
        return this.keyboard.type(data) ? undefined : this.end('input-limit')
      case 'opening':
      case 'closed':
        return
    }
  }

  resize(size: WindowSize): void {
    this.keyboard.resize(size)
  }

  /** Closes a session that has not started, with 254 and the message; a running command is left alone. */
  refuse(message: string): void {
    if (!this.idle) return
    this.#refusal ??= message
    this.#giveUp()
  }

  /** Ends the session; the first reason wins. */
  end(reason: TerminationReason): void {
    const isLate = this.#state.name === 'running' && this.#state.execution.hasEnded
    if (!isLate || !NEVER_LATE.has(reason)) this.#endReason ??= reason
    // Also of a command that has ended by itself, whose last output waits there.
    this.gate.openForGood()
    this.#giveUp()
    if (this.#state.name === 'running') this.#state.execution.terminate()
  }

  running(execution: Execution): void {
    this.#state = { name: 'running', execution }
    this.keyboard.attach(execution)
    // The end may have come while the program was being started.
    if (this.#endReason !== undefined) execution.terminate()
  }

  #giveUp(): void {
    if (this.#state.name === 'open') this.#state.giveUp()
  }

  async #serve(): Promise<Ended> {
    const services = this.#services
    try {
      const request = await checkRequest(this.#open, services)
      this.#warnUnmasked(request)
      const start = await this.#start(request)
      if (start === undefined) return this.#unstarted()
      return await runCommand(request, start, this, { services, reply: this.#reply })
    } catch (error) {
      return this.#failed(error as Error)
    }
  }

  #warnUnmasked({ unmasked }: CommandRequest): void {
    if (unmasked === undefined) return
    this.#unmasked = unmasked
    const { connectionName: connection } = this.#open.params
    this.#services.log.warn({ sid: this.sid, connection }, unmasked)
  }

  /** Answers that the session is open, exactly once, and waits for what starts it; undefined when it was ended instead. */
  async #start(request: CommandRequest): Promise<Start | undefined> {
    if (this.#endReason !== undefined || this.#refusal !== undefined) return undefined
    const start = new Promise<Start | undefined>((resolve) => {
      this.#state = { name: 'open', begin: resolve, giveUp: () => resolve(undefined) }
    })
    await this.#reply({
      kind: 'opened',
      sid: this.sid,
      connectionType: this.#open.connectionType,
      requestPort: this.#open.requestPort,
      command: request.argv.join(' '),
    })
    const started = await start
    this.#state = { name: 'starting' }
    return started
  }

  #unstarted(): Ended {
    if (this.#endReason === undefined || this.#refusal !== undefined)
      return notRun(closingRefused(this.#refusal ?? ''), 'refused')
    return notRun(closingUnstarted(this.#endReason), 'not-started')
  }

  #failed(error: Error): Ended {
    const { log } = this.#services
    if (error instanceof ConnectError) return notRun(closingUnstarted('gateway-lost'), 'not-started')
    if (isRefusal(error)) {
      log.warn({ sid: this.sid, reason: error.name }, 'session refused')
      return notRun(closingRefused(error.message), 'refused')
    }
    log.error({ sid: this.sid, error: error.message, stack: error.stack }, 'session failed: this is a bug')
    return notRun(closingRefused('internal error of the agent, its log has more'), 'failed')
  }

  /** Tells the gateway, unless it ended a session itself that never ran: its close is not answered (protocol.md 0.6). */
  async #close({ exitCode, message, bytes, outcome }: Ended): Promise<boolean> {
    const ran = outcome === 'exited' || outcome === 'signaled'
    if (this.#endReason === 'closed-by-gateway' && !ran) return false
    const closed = {
      kind: 'closed',
      sid: this.sid,
      exitCode,
      message,
      truncatedBytes: bytes.leftOut,
      redactedBytes: bytes.redacted,
      ...(this.#unmasked !== undefined && { unmasked: this.#unmasked }),
    } as const
    try {
      await this.#reply(closed)
      return true
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error
      return false
    }
  }

  #account(ended: Ended, closeSent: boolean): void {
    const { exitCode, outcome, bytes } = ended
    const reason = this.#endReason
    this.#services.record(endedEntry(this.sid, ended, { reason, closeSent }))
    const fields = { sid: this.sid, exitCode, truncatedBytes: bytes.leftOut, reason }
    if (closeSent) this.#services.log.info(fields, 'session closed')
    else this.#services.log.warn({ ...fields, outcome }, 'session over, its end was not sent to the gateway')
  }
}
