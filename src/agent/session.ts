import { Environment } from '../envvars/environment.ts'
import { EnvvarError, RuntimeFolderError } from '../envvars/errors.ts'
import { execute } from '../runtime/engine.ts'
import type { WindowSize } from '../runtime/child.ts'
import type { Execution } from '../runtime/execution.ts'
import { NO_EXIT_CODE } from '../runtime/exit-status.ts'
import type { OpenMessage, SessionId } from '../wire/message.ts'
import { NO_PAYLOAD } from '../wire/packet.ts'
import { closedUnstarted, closing, type Closing, type TerminationReason } from './closing.ts'
import { ConnectError } from './connection.ts'
import { LivenessError } from './liveness.ts'
import { OutputForwarder } from './output-forwarder.ts'
import { checkRequest, RefusedError, type SessionRequest } from './request.ts'
import type { Reply, SessionServices } from './session-services.ts'

/** What sets a session going: a script, or the first key on a terminal. */
type Start = { readonly kind: 'script'; readonly stdin: Buffer } | { readonly kind: 'terminal' }

/** A state holds exactly what is true in it. */
type SessionState =
  | { readonly name: 'opening' }
  | { readonly name: 'open'; readonly begin: (start: Start) => void; readonly giveUp: () => void }
  | { readonly name: 'starting' }
  | { readonly name: 'running'; readonly execution: Execution }
  | { readonly name: 'closed' }

/** A person types a handful of keys in that time. */
const MAX_EARLY_PACKETS = 256

type Ended = Closing & { readonly truncatedBytes: number }

/** One client's conversation, from its opening to its close: at most one execution. */
export class Session {
  readonly sid: SessionId
  readonly #open: OpenMessage
  readonly #services: SessionServices
  readonly #reply: Reply
  #state: SessionState = { name: 'opening' }
  #endReason: TerminationReason | undefined
  #refusal: string | undefined
  /** The client's window; the first size may come before the terminal exists. */
  #size: WindowSize = { cols: 80, rows: 24 }
  /** Keys typed while the terminal was being started. */
  readonly #early: Buffer[] = []

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
      const start = await this.#start(request)
      const ended = start === undefined ? this.#unstarted() : await this.#execute(request, start)
      if (ended !== undefined) await this.#close(ended)
    } catch (error) {
      await this.#fail(error as Error)
    } finally {
      this.#state = { name: 'closed' }
    }
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
    switch (this.#state.name) {
      case 'open':
        return this.interactive ? this.#state.begin({ kind: 'terminal' }) : undefined
      case 'starting':
        if (this.#early.length < MAX_EARLY_PACKETS) this.#early.push(data)
        return
      case 'running':
        if (!this.#state.execution.type(data))
          this.#services.log.warn({ sid: this.sid }, 'the terminal does not read: input dropped')
        return
      case 'opening':
      case 'closed':
        return
    }
  }

  resize(size: WindowSize): void {
    this.#size = size
    if (this.#state.name === 'running') this.#state.execution.resize(size)
  }

  /** Closes a session that has not started, with 254 and the message; a running command is left alone. */
  refuse(message: string): void {
    if (!this.idle) return
    this.#refusal ??= message
    this.#giveUp()
  }

  /** Ends the session; the first reason wins. */
  end(reason: TerminationReason): void {
    this.#endReason ??= reason
    this.#giveUp()
    if (this.#state.name === 'running') this.#state.execution.terminate()
  }

  #giveUp(): void {
    if (this.#state.name === 'open') this.#state.giveUp()
  }

  /** Answers that the session is open, exactly once, and waits for what starts it; undefined when it was ended instead. */
  async #start(request: SessionRequest): Promise<Start | undefined> {
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

  /** Runs the command; when it returns, processes and secret files are gone and the slot is free. */
  async #execute(request: SessionRequest, start: Start): Promise<Ended | undefined> {
    const { folder, inherited, slots } = this.#services
    using slot = slots.take()
    if (slot === undefined) throw new RefusedError(`${full(slots.limit)}: try again later`)
    await using environment = await Environment.create({
      entries: request.entries,
      inherited,
      folder,
      sessionId: this.sid,
    })
    const argv = environment.expand(request.argv)
    if (this.#endReason !== undefined) return this.#unstarted()
    await using execution = await this.#launch(argv, environment, start)
    return await this.#follow(execution, request.captured)
  }

  async #launch(argv: readonly Buffer[], environment: Environment, start: Start): Promise<Execution> {
    const { engine, inherited, cwd, settings, log } = this.#services
    const terminal = start.kind === 'terminal' ? this.#size : undefined
    const command = {
      argv,
      environment: terminal === undefined ? environment.block : onTerminal(environment.block),
      path: inherited.get('PATH') ?? '',
      cwd,
      stdin: start.kind === 'script' ? start.stdin : NO_PAYLOAD,
    }
    const execution = await execute(engine, command, {
      graceMs: settings.killGraceMs,
      marker: `HOOP_SESSION_ID=${this.sid}`,
      ...(terminal !== undefined && { terminal }),
    })
    this.#running(execution)
    log.info({ sid: this.sid, pid: execution.pid, terminal: terminal !== undefined }, 'execution started')
    return execution
  }

  /** Brings the output to the gateway until the command has ended, and says how it did. */
  async #follow(execution: Execution, captured: boolean): Promise<Ended> {
    const { settings, tails, log } = this.#services
    using forwarder = new OutputForwarder(
      this.sid,
      this.#reply,
      captured ? settings.outputCapBytes : 0,
      tails,
    )
    const { maxDurationMs } = settings
    const limit =
      maxDurationMs === undefined ? undefined : setTimeout(() => this.end('timeout'), maxDurationMs)
    try {
      // The gateway drops what comes after its close; the command is still read, so that it can end.
      await forwarder.forward(execution.output, () => this.#endReason === 'closed-by-gateway')
    } finally {
      clearTimeout(limit)
    }
    const status = await execution.exit
    const { orphansEnded } = execution
    if (orphansEnded > 0) log.info({ sid: this.sid, processes: orphansEnded }, 'background processes ended')
    const { exitCode, message } = closing(status, this.#endReason)
    return { exitCode, message: forwarder.onOwnLine(message), truncatedBytes: forwarder.truncatedBytes }
  }

  #running(execution: Execution): void {
    this.#state = { name: 'running', execution }
    execution.resize(this.#size)
    for (const data of this.#early.splice(0)) execution.type(data)
    // The end may have come while the program was being started.
    if (this.#endReason !== undefined) execution.terminate()
  }

  /** The gateway is told, unless it ended the session itself: its close is never answered (protocol.md 0.6). */
  #unstarted(): Ended | undefined {
    if (this.#refusal !== undefined) throw new RefusedError(this.#refusal)
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
    const { log } = this.#services
    if (error instanceof ConnectError) {
      log.warn({ sid: this.sid }, 'session lost: the stream to the gateway has ended')
      return
    }
    if (isRefusal(error)) log.warn({ sid: this.sid, reason: error.name }, 'session refused')
    else
      log.error({ sid: this.sid, error: error.message, stack: error.stack }, 'session failed: this is a bug')
    if (this.#endReason === 'closed-by-gateway') return
    const message = isRefusal(error) ? error.message : 'internal error of the agent, its log has more'
    await this.#reply({
      kind: 'closed',
      sid: this.sid,
      exitCode: NO_EXIT_CODE,
      message,
      truncatedBytes: 0,
    }).catch(() => undefined)
  }
}

/** What a session can be refused for, with a message for its user; it may quote arguments, so the log has the kind only. */
function isRefusal(error: Error): boolean {
  return [RefusedError, LivenessError, EnvvarError, RuntimeFolderError].some((kind) => error instanceof kind)
}

function full(limit: number): string {
  return `this agent already runs ${limit} executions (limits.sessions)`
}

/** Always this one, whatever the connection says (protocol.md 5.3). */
const TERM = Buffer.from('TERM=xterm-256color')

function onTerminal(block: readonly Buffer[]): Buffer[] {
  return [TERM, ...block.filter((entry) => !entry.toString('latin1', 0, 5).startsWith('TERM='))]
}
