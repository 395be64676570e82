import type { WindowSize } from '../../basics/window-size.ts'
import type {
  AgentMessage,
  ClosedMessage,
  OpenedMessage,
  OpenMessage,
  SessionId,
} from '../../wire/messages/message.ts'
import { hoopWords } from '../../wire/gateway-words.ts'
import type { AgentStream, SessionSink } from '../agents/agents.ts'
import { HistoryError } from '../history/session.ts'
import { rpcStatus, type RpcCode } from '../statuses.ts'
import type { SessionRecord } from './session-record.ts'

/** How a session ended, as answers and clients are told. */
export interface SessionEnding {
  /** -2 when there is no valid code. */
  readonly exitCode: number
  readonly truncatedBytes: number
  /** Bytes of secrets that the agent has replaced. */
  readonly redactedBytes: number
  /** The agent's close message; undefined when the agent did not end the session. */
  readonly closed?: ClosedMessage
  /** Why the gateway could not learn the result from the agent. */
  readonly failure?: RpcFailure
  /** Why the output or the end could not be written into the history (yet). */
  readonly unrecorded?: string
}

/** Whoever asked for the session, and follows it. */
export interface SessionAudience {
  /** Called once, when the agent is ready for the script or the first key. */
  opened(message: OpenedMessage): void
  output(stream: 'stdout' | 'stderr', data: Buffer): void
}

/** "Unable to obtain a valid exit code from the agent", in the published contract. */
export const NO_AGENT_CODE = -2
/** The agent tries a database's port for up to 5 s before it answers. */
const OPEN_MS = 60_000
/** As in hoop's gateway: no session lives longer. */
const MAX_LIFE_MS = 48 * 60 * 60 * 1000
/** From a client's leaving to the end of its command: the agent's usual 10 s from SIGTERM to SIGKILL, and a margin. */
const LEAVE_MS = 15_000

const HAS_LEFT = 'the client has left'

/** One session on an agent: opens it, sends it what the client sends, and records what comes back until it ends. */
export class GatewaySession implements SessionSink {
  readonly sid: SessionId
  readonly #open: OpenMessage
  readonly #record: SessionRecord
  readonly #audience: SessionAudience
  readonly #ended: Promise<SessionEnding>
  /** Aborted once the session is over. */
  readonly #life = new AbortController()
  #settle!: (ending: SessionEnding) => void
  #agent: AgentStream | undefined
  #opened = false
  /** Whether the agent has something to run. Only then does it answer a close. */
  #started = false
  #leaving: NodeJS.Timeout | undefined

  constructor(open: OpenMessage, record: SessionRecord, audience: SessionAudience) {
    this.sid = open.sid
    this.#open = open
    this.#record = record
    this.#audience = audience
    this.#ended = new Promise((resolve) => (this.#settle = resolve))
  }

  /**
   * Settles when the session has ended and is recorded; if it could not be recorded, the ending says why.
   * @param find finds the agent: undefined when it does not come, or when the session is over before
   */
  async run(find: (over: AbortSignal) => Promise<AgentStream | undefined>): Promise<SessionEnding> {
    const agent = this.#isOver ? undefined : await find(this.#life.signal)
    if (agent === undefined) this.fail('agent-offline', hoopWords.agentIsOffline)
    else if (!this.#isOver) await this.#runOn(agent)
    return recordEnd(this.#record, await this.#ended)
  }

  /** Settles when there is room for more on the way to the agent. */
  async room(): Promise<void> {
    await this.#agent?.room()
  }

  /** Sends the script, once: a second one would run as a second command. */
  exec(script: Buffer): void {
    if (this.#isOver || this.#started) return
    this.#started = true
    this.#record.script(script)
    this.#agent?.send({ kind: 'exec', sid: this.sid, stdin: script })
  }

  /** Sends keys. They are not recorded: passwords are among them, typed where no echo shows them. */
  type(data: Buffer): void {
    if (this.#isOver) return
    this.#started = true
    this.#agent?.send({ kind: 'input', sid: this.sid, data })
  }

  resize(size: WindowSize): void {
    if (this.#isOver) return
    this.#record.size(size)
    this.#agent?.send({ kind: 'resize', sid: this.sid, ...size })
  }

  /** Asks the agent for no more output until `resume`. Agents that do not know the packet go on. */
  pause(): void {
    if (!this.#isOver) this.#agent?.send({ kind: 'pause', sid: this.sid })
  }

  resume(): void {
    if (!this.#isOver) this.#agent?.send({ kind: 'resume', sid: this.sid })
  }

  /** Nobody waits for the session any more: its command is ended, and the agent gets some time to say how. */
  leave(): void {
    if (this.#isOver || this.#leaving !== undefined) return
    if (!this.#started || this.#agent === undefined) return this.fail('client-left', HAS_LEFT)
    const late = `${HAS_LEFT}, and the agent has not said how the command ended`
    this.#leaving = setTimeout(() => this.fail('client-left', late), LEAVE_MS)
    this.#agent.send({ kind: 'close', sid: this.sid })
  }

  /** Ends the session from this side. */
  fail(code: RpcCode, reason: string): void {
    const failure = { code, reason }
    this.#end({ exitCode: NO_AGENT_CODE, truncatedBytes: 0, redactedBytes: 0, failure }, failureText(failure))
  }

  receive(message: AgentMessage): void {
    if (this.#isOver) return
    switch (message.kind) {
      case 'opened':
        return this.#hasOpened(message)
      case 'stdout':
      case 'stderr':
        this.#record.output(message.kind, message.data)
        return this.#audience.output(message.kind, message.data)
      case 'closed':
        return this.#hasClosed(message)
      case 'keepalive':
      case 'unsupported':
        return
    }
  }

  get #isOver(): boolean {
    return this.#life.signal.aborted
  }

  async #runOn(agent: AgentStream): Promise<void> {
    this.#agent = agent
    const opened = setTimeout(() => this.#openTimedOut(), OPEN_MS)
    const life = setTimeout(() => this.fail('session-expired', hoopWords.sessionExpired), MAX_LIFE_MS)
    try {
      agent.add(this.sid, this)
      agent.send(this.#open)
      await this.#ended
    } finally {
      clearTimeout(opened)
      clearTimeout(life)
      clearTimeout(this.#leaving)
      agent.remove(this.sid)
      // For every way a session ends (protocol.md 0.6). On a lost stream it goes nowhere.
      if (this.#leaving === undefined) agent.send({ kind: 'close', sid: this.sid })
    }
  }

  #hasOpened(message: OpenedMessage): void {
    if (this.#opened) return
    this.#opened = true
    this.#audience.opened(message)
  }

  #openTimedOut(): void {
    if (!this.#opened)
      this.fail('agent-silent', `the agent did not open the session within ${OPEN_MS / 1000} s`)
  }

  #hasClosed(closed: ClosedMessage): void {
    const { exitCode = NO_AGENT_CODE, truncatedBytes, redactedBytes, message } = closed
    const text = this.#leaving === undefined ? message : behind(HAS_LEFT, message)
    this.#end({ exitCode, truncatedBytes, redactedBytes, closed }, text)
  }

  /** The first end wins. */
  #end(ending: SessionEnding, text: string): void {
    if (this.#isOver) return
    this.#record.close(text)
    this.#life.abort()
    this.#settle(ending)
  }
}

/** Puts `beginning` in front of the agent's text, behind the line break that it starts with if the output had none. */
function behind(beginning: string, message: string): string {
  return message === '' ? '' : message.replace(/^\n?/, (lineBreak) => `${lineBreak}${beginning}: `)
}

/** Records the end. The command has run in any case, so a failure is part of the ending and is not thrown. */
function recordEnd(record: SessionRecord, ending: SessionEnding): SessionEnding {
  const { exitCode, truncatedBytes, redactedBytes } = ending
  try {
    record.finish({ exitCode: rowExitCode(exitCode), truncatedBytes, redactedBytes })
    return ending
  } catch (error) {
    if (!(error instanceof HistoryError)) throw error
    return { ...ending, unrecorded: error.message }
  }
}

/** A session without a valid code is recorded as 254 (protocol.md 4.6). */
function rowExitCode(exitCode: number): number {
  return exitCode === NO_AGENT_CODE ? 254 : exitCode
}

/** Why a session could not be served or was ended from this side. */
interface RpcFailure {
  readonly code: RpcCode
  readonly reason: string
}

/** In grpc-go's form. It stands in REST answers and records where hoop's gateway puts its gRPC errors. */
function failureText({ code, reason }: RpcFailure): string {
  return `rpc error: code = ${rpcStatus(code)} desc = ${reason}`
}
