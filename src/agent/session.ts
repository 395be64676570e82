import { Environment } from '../envvars/environment.ts'
import { execute } from '../runtime/engine.ts'
import type { Execution, TerminationReason } from '../runtime/execution.ts'
import { NO_EXIT_CODE } from '../runtime/exit-status.ts'
import type { OpenMessage, SessionId } from '../wire/message.ts'
import { closedUnstarted, closing, type Closing } from './closing.ts'
import { ConnectError } from './connection.ts'
import { OutputForwarder } from './output-forwarder.ts'
import { checkRequest, RefusedError, type SessionRequest } from './request.ts'
import type { Reply, SessionServices } from './session-services.ts'

/** A state holds exactly what is true in it. */
type SessionState =
  | { readonly name: 'opening' }
  | { readonly name: 'open'; readonly begin: (stdin: Buffer) => void; readonly giveUp: () => void }
  | { readonly name: 'starting' }
  | { readonly name: 'running'; readonly execution: Execution }
  | { readonly name: 'closed' }

type Ended = Closing & { readonly truncatedBytes: number }

/** One client's conversation, from its opening to its close: at most one execution. */
export class Session {
  readonly sid: SessionId
  readonly #open: OpenMessage
  readonly #services: SessionServices
  readonly #reply: Reply
  #state: SessionState = { name: 'opening' }
  #endReason: TerminationReason | undefined

  constructor(open: OpenMessage, services: SessionServices, reply: Reply) {
    this.sid = open.sid
    this.#open = open
    this.#services = services
    this.#reply = reply
  }

  /** True until the command is about to start: such a session may still be opened anew. */
  get idle(): boolean {
    return this.#state.name === 'opening' || this.#state.name === 'open'
  }

  /** Serves the session; settles when it is over and everything it took is given back. Never rejects. */
  async run(): Promise<void> {
    try {
      const request = await checkRequest(this.#open)
      const stdin = await this.#script(request)
      const ended = stdin === undefined ? this.#unstarted() : await this.#execute(request, stdin)
      if (ended !== undefined) await this.#close(ended)
    } catch (error) {
      await this.#fail(error as Error)
    } finally {
      this.#state = { name: 'closed' }
    }
  }

  /** The script has come. A second one is refused by silence: a close would end the first one's session. */
  begin(stdin: Buffer): void {
    if (this.#state.name === 'open') this.#state.begin(stdin)
    else
      this.#services.log.warn(
        { sid: this.sid, state: this.#state.name },
        'a script came out of turn and was ignored',
      )
  }

  /** Ends the session; the first reason wins. */
  end(reason: TerminationReason): void {
    this.#endReason ??= reason
    if (this.#state.name === 'open') this.#state.giveUp()
    if (this.#state.name === 'running') this.#state.execution.terminate(reason)
  }

  /** Answers that the session is open, exactly once, and waits for its script; undefined when it was ended instead. */
  async #script(request: SessionRequest): Promise<Buffer | undefined> {
    if (this.#endReason !== undefined) return undefined
    const script = new Promise<Buffer | undefined>((resolve) => {
      this.#state = { name: 'open', begin: resolve, giveUp: () => resolve(undefined) }
    })
    await this.#reply({
      kind: 'opened',
      sid: this.sid,
      connectionType: this.#open.connectionType,
      requestPort: this.#open.requestPort,
      command: request.argv.join(' '),
    })
    const stdin = await script
    this.#state = { name: 'starting' }
    return stdin
  }

  /** Runs the command; when it returns, processes and secret files are gone and the slot is free. */
  async #execute(request: SessionRequest, stdin: Buffer): Promise<Ended | undefined> {
    const { slots, folder, inherited, engine, cwd, settings, log } = this.#services
    using slot = slots.take()
    if (slot === undefined)
      throw new RefusedError(
        `this agent already runs ${slots.limit} executions (limits.sessions): try again later`,
      )
    await using environment = await Environment.create({
      entries: request.entries,
      inherited,
      folder,
      sessionId: this.sid,
    })
    const argv = environment.expand(request.argv)
    if (this.#endReason !== undefined) return this.#unstarted()

    const command = { argv, environment: environment.block, path: inherited.get('PATH') ?? '', cwd, stdin }
    const execution = await execute(engine, command, settings.killGraceMs)
    this.#running(execution)
    log.info({ sid: this.sid, pid: execution.pid, stdinBytes: stdin.length }, 'execution started')

    const forwarder = new OutputForwarder(
      this.sid,
      this.#reply,
      request.captured ? settings.outputCapBytes : 0,
    )
    await forwarder.forward(execution)
    const status = await execution.exit
    const { exitCode, message } = closing(status, execution.reason)
    return { exitCode, message: forwarder.onOwnLine(message), truncatedBytes: forwarder.truncatedBytes }
  }

  #running(execution: Execution): void {
    this.#state = { name: 'running', execution }
    // The end may have come while the program was being started.
    if (this.#endReason !== undefined) execution.terminate(this.#endReason)
  }

  /** The gateway is told, unless it ended the session itself: its close is never answered (protocol.md 0.6). */
  #unstarted(): Ended | undefined {
    if (this.#endReason === undefined || this.#endReason === 'closed-by-gateway') return undefined
    return { ...closedUnstarted(this.#endReason), truncatedBytes: 0 }
  }

  async #close(ended: Ended): Promise<void> {
    await this.#reply({ kind: 'closed', sid: this.sid, ...ended })
    const { exitCode, truncatedBytes } = ended
    this.#services.log.info(
      { sid: this.sid, exitCode, truncatedBytes, reason: this.#endReason },
      'session closed',
    )
  }

  async #fail(error: Error): Promise<void> {
    if (error instanceof ConnectError) {
      this.#services.log.warn({ sid: this.sid }, 'session lost: the stream to the gateway has ended')
      return
    }
    const { message } = error
    this.#services.log.warn({ sid: this.sid, reason: message }, 'session refused')
    if (this.#endReason === 'closed-by-gateway') return
    await this.#reply({
      kind: 'closed',
      sid: this.sid,
      exitCode: NO_EXIT_CODE,
      message,
      truncatedBytes: 0,
    }).catch(() => undefined)
  }
}
