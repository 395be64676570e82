import type { WindowSize } from '../basics/window-size.ts'
import { ConnectError } from '../dial/connect-error.ts'
import type { Chunk } from '../runtime/output/child-output.ts'
import type { OpenMessage, SessionId } from '../wire/messages/message.ts'
import { checkRequest } from './opening/request.ts'
import { endedEntry, endingRefused, hasRun, type Ending, type TerminationReason } from './running/ending.ts'
import { RunningCommand, type AskedCommand, type Start } from './running/running-command.ts'
import type { SessionReply, SessionServices } from './running/services.ts'

/** A state holds exactly what is true in it. */
type SessionState =
  | { readonly name: 'opening' }
  | { readonly name: 'open'; readonly begin: (start: Start) => void; readonly refuse: () => void }
  | { readonly name: 'started' }
  | { readonly name: 'closed' }

/** One client's conversation, from its opening to its close: at most one command. */
export class AgentSession {
  readonly sid: SessionId
  readonly #open: OpenMessage
  readonly #services: SessionServices
  readonly #reply: SessionReply
  readonly #command: RunningCommand
  #state: SessionState = { name: 'opening' }
  #refusal: string | undefined
  /** Why its output passes unmasked, to be said with the first of it and with its close. */
  #unmasked: string | undefined
  #hasSent = false

  constructor(open: OpenMessage, services: SessionServices, reply: SessionReply) {
    this.sid = open.sid
    this.#open = open
    this.#services = services
    this.#reply = reply
    this.#command = new RunningCommand(open.sid, (ended) => this.#asked(ended), services)
  }

  /** True until the command is about to start: such a session may still be opened anew. */
  get idle(): boolean {
    return this.#state.name === 'opening' || this.#state.name === 'open'
  }

  /** Why it was ended, so far. */
  get endReason(): TerminationReason | undefined {
    return this.#command.reason
  }

  /** Serves the session; settles when it is over and everything it took is given back. Never rejects. */
  async run(): Promise<void> {
    try {
      for await (const chunk of this.#command.output) await this.#send(chunk)
    } catch (error) {
      this.#bug(error as Error)
    }
    const ending = await this.#ending()
    const closeSent = await this.#close(ending).catch((error: unknown) => this.#bug(error as Error))
    this.#state = { name: 'closed' }
    this.#account(ending, closeSent)
  }

  /** A client can forge packets into its session: a session opened to run one script does not become a terminal. */
  get interactive(): boolean {
    return this.#open.params.clientVerb === 'connect'
  }

  /** The script has come. A second one is refused by silence: a close would end the first one's session. */
  begin(stdin: Buffer): void {
    const { name } = this.#state
    if (!this.interactive && this.#start({ kind: 'script', stdin })) return
    this.#services.log.warn({ sid: this.sid, state: name }, 'a script came out of turn and was ignored')
  }

  /** Keys. The first packet only starts the terminal, its payload is dropped (protocol.md 0.5). */
  type(data: Buffer): void {
    if (!this.interactive || this.#start({ kind: 'terminal' }) || this.#state.name !== 'started') return
    // To go on with a hole in what was typed could run something that nobody wrote.
    if (!this.#command.type(data)) this.end('input-limit')
  }

  resize(size: WindowSize): void {
    this.#command.resize(size)
  }

  /** The client does not read. */
  pause(): void {
    this.#command.gate.pause()
  }

  resume(): void {
    this.#command.gate.resume()
  }

  /** Nobody can resume the output any more. */
  resumeForGood(): void {
    this.#command.gate.openForGood()
  }

  /** Closes a session that has not started, with 254 and the message; a running command is left alone. */
  refuse(message: string): void {
    if (!this.idle) return
    this.#refusal ??= message
    if (this.#state.name === 'open') this.#state.refuse()
  }

  /** Ends the session; the first reason wins. */
  end(reason: TerminationReason): void {
    this.#command.end(reason)
  }

  /** One that was refused after its script had come has run all the same. */
  async #ending(): Promise<Ending> {
    const ending = await this.#command.ended
    if (this.#refusal === undefined || ending.outcome !== 'not-started') return ending
    return { ...endingRefused(this.#refusal), reason: ending.reason }
  }

  #start(start: Start): boolean {
    if (this.#state.name !== 'open') return false
    this.#state.begin(start)
    return true
  }

  /** Answers that the session is open, exactly once, and waits for what starts it. */
  async #asked(ended: AbortSignal): Promise<AskedCommand | undefined> {
    const request = await checkRequest(this.#open, this.#services)
    this.#warnUnmasked(request.unmasked)
    if (ended.aborted || this.#refusal !== undefined) return undefined
    const started = new Promise<Start | undefined>((resolve) => {
      const giveUp = () => resolve(undefined)
      this.#state = { name: 'open', begin: resolve, refuse: giveUp }
      ended.addEventListener('abort', giveUp)
    })
    await this.#reply({
      kind: 'opened',
      sid: this.sid,
      connectionType: this.#open.connectionType,
      requestPort: this.#open.requestPort,
      command: request.argv.join(' '),
    })
    const start = await started
    this.#state = { name: 'started' }
    return start && { request, start }
  }

  #warnUnmasked(unmasked: string | undefined): void {
    if (unmasked === undefined) return
    this.#unmasked = unmasked
    const { connectionName: connection } = this.#open.params
    this.#services.log.warn({ sid: this.sid, connection }, unmasked)
  }

  async #send({ stream, data }: Chunk): Promise<void> {
    // hoop's gateway counts each packet that says it.
    const unmasked = this.#hasSent ? undefined : this.#unmasked
    this.#hasSent = true
    const message = { kind: stream, sid: this.sid, data, ...(unmasked !== undefined && { unmasked }) }
    if (!(await this.#told(message))) this.#command.abandonOutput()
  }

  /** Tells the gateway, unless it ended a session itself that never ran: its close is not answered (protocol.md 0.6). */
  async #close(ending: Ending): Promise<boolean> {
    // As it is now: it may have closed it while secret files were being removed.
    if (this.endReason === 'closed-by-gateway' && !hasRun(ending)) return false
    return await this.#told({
      kind: 'closed',
      sid: this.sid,
      exitCode: ending.exitCode,
      message: ending.message,
      truncatedBytes: ending.bytes.leftOut,
      redactedBytes: ending.bytes.redacted,
      ...(this.#unmasked !== undefined && { unmasked: this.#unmasked }),
    })
  }

  /** False when the stream has ended. */
  async #told(message: Parameters<SessionReply>[0]): Promise<boolean> {
    try {
      await this.#reply(message)
      return true
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error
      return false
    }
  }

  /** The command has been ended by it: nobody has seen the rest of its output. */
  #bug({ message, stack }: Error): false {
    this.#services.log.error({ sid: this.sid, error: message, stack }, 'session failed: this is a bug')
    return false
  }

  #account(ending: Ending, closeSent: boolean): void {
    const { exitCode, outcome, bytes, reason, refusal } = ending
    const { sid } = this
    if (refusal !== undefined) this.#services.log.warn({ sid, reason: refusal }, 'session refused')
    this.#services.record(endedEntry(sid, ending, closeSent))
    const fields = { sid, exitCode, truncatedBytes: bytes.leftOut, reason }
    if (closeSent) this.#services.log.info(fields, 'session closed')
    else this.#services.log.warn({ ...fields, outcome }, 'session over, its end was not sent to the gateway')
  }
}
