import { NO_EXIT_CODE } from '../../basics/exit-code.ts'
import type { WindowSize } from '../../basics/window-size.ts'
import type {
  AgentMessage,
  ClosedMessage,
  OpenedMessage,
  OpenMessage,
  OutputMessage,
  SessionId,
} from '../../wire/messages/message.ts'
import type { ConnectionMessage } from '../../wire/messages/native.ts'
import {
  decodeGuardrailsInfo,
  guardrailInfoJson,
  type GuardrailInfo,
} from '../../wire/messages/guardrails-info.ts'
import { hoopWords } from '../../wire/gateway-words.ts'
import { AgentLostError, AgentStream } from '../agents/agent-stream.ts'
import type { EndCause } from '../history/session.ts'
import { HistoryError } from '../store/errors.ts'
import { rpcStatus, type RpcCode } from '../../contract/statuses.ts'
import type { GuardrailSettings } from '../settings/settings.ts'
import { blockedText, BrokenRules, withNames } from './guardrails.ts'
import type { SessionRecord } from './session-record.ts'
import { agentsCause } from './session-state.ts'
import { SessionStatements } from './statements/statements.ts'
import { deferred } from '../../basics/deferred.ts'

/** The end of a session, for answers and clients. */
export interface SessionEnd {
  /** -2 when the agent gave no valid code. */
  readonly exitCode: number
  readonly truncatedBytes: number
  /** Bytes of secrets that the agent has replaced. */
  readonly redactedBytes: number
  /** Undefined when the agent did not end the session. */
  readonly closed?: ClosedMessage
  /** Broken rules. A rule that a native client breaks does not always end the session. */
  readonly brokenRules?: readonly GuardrailInfo[]
  /** Why the gateway could not learn the result from the agent. */
  readonly failure?: RpcFailure
  /** Set if the exit code does not show the cause. */
  readonly cause?: EndCause
  /** How long the command ran. Undefined if it has not begun. */
  readonly ranForSeconds?: number
  /** Why the output or the end is not in the history. A later write may still succeed. */
  readonly unrecorded?: string
}

/**
 * The first message is `opened`. After this message, the caller may send the script or keys. The next
 * messages are output or data of a server.
 */
export type SessionMessage = OpenedMessage | OutputMessage | (ConnectionMessage & { readonly sid: SessionId })

/** The published contract describes this code as "Unable to obtain a valid exit code from the agent". */
export const NO_AGENT_CODE = -2
/** How long the agent may take to open a session. It tries a database's port for up to 5 s first. */
const OPEN_MS = 60_000
/** hoop's gateway has the same limit. */
const MAX_LIFE_MS = 48 * 60 * 60 * 1000
/**
 * After the client has left, the gateway waits this long for the end of the command. Our agent reports its
 * own maximum, which follows from `kill.grace`. This constant is for agents that report none.
 */
const LEAVE_MS = 15_000

const NOTHING_LEFT_OUT = { truncatedBytes: 0, redactedBytes: 0 }
const HAS_LEFT = 'the client has left'
const OFFLINE: RpcFailure = { code: 'agent-offline', reason: hoopWords.agentIsOffline }
/** Without a shared reason, each abort would create an error with a stack. */
const OVER = new Error('the session is over')

/**
 * Waits until the session may run. Returns undefined when no agent connects in time or the session ends
 * first, and a failure when the session may not run.
 */
type FindAgent = (over: AbortSignal) => Promise<AgentStream | RpcFailure | undefined>

/** The owner reads all messages of `run`, and then awaits `ended`. */
export class GatewaySession {
  readonly sid: SessionId
  readonly #open: OpenMessage
  readonly #record: SessionRecord
  readonly #find: FindAgent
  readonly #rules: readonly GuardrailSettings[]
  readonly #broken: BrokenRules
  /** Aborted once the session is over. */
  readonly #life = new AbortController()
  readonly #ended = deferred<SessionEnd>()
  /** Settles when the end is recorded. If that is impossible, `unrecorded` has the reason. */
  readonly ended = this.#ended.promise
  #ending: SessionEnd | undefined
  #agent: AgentStream | undefined
  #opened = false
  /** True if the agent has received something to run. Before that, the agent does not answer a close. */
  #started = false
  #leaving: NodeJS.Timeout | undefined
  readonly #statements: SessionStatements

  /** @param rules guardrail rules of the connection; the agent does not know their names */
  constructor(
    open: OpenMessage,
    record: SessionRecord,
    find: FindAgent,
    rules: readonly GuardrailSettings[] = [],
  ) {
    this.#rules = rules
    this.#broken = new BrokenRules(rules)
    this.sid = open.sid
    this.#open = open
    this.#record = record
    this.#statements = new SessionStatements(open.connectionType, (id) => record.statements(id))
    this.#find = find
  }

  /** Begins when the caller reads the first message. Call this method only once. */
  async *run(): AsyncGenerator<SessionMessage, void, undefined> {
    try {
      // If the first agent is lost before the command has run, the session waits once for the next agent.
      const lost = (yield* this.#onNextAgent()) && (yield* this.#onNextAgent())
      if (lost !== undefined) this.fail('agent-lost', lost.message)
    } finally {
      // The ending is missing only if a bug has stopped the reader in the middle.
      const ending = this.#ending ?? this.#fail({ code: 'internal-error', reason: 'internal error' })
      // The promise turns an unexpected error into a rejection of `ended`, so that nobody waits for ever.
      this.#ended.resolve(new Promise((resolve) => resolve(recordEnd(this.#record, ending))))
    }
  }

  /** True if the session still waits for an agent, so its command has not run. */
  get isWaiting(): boolean {
    return this.#agent === undefined
  }

  /** Settles when the stream to the agent accepts more packets. */
  async room(): Promise<void> {
    await this.#agent?.room()
  }

  /** Sends the script only once: a second script would run as a second command. */
  exec(script: Buffer): void {
    if (this.#isOver || this.#started) return
    this.#started = true
    this.#record.script(script)
    this.#agent?.send({ kind: 'exec', sid: this.sid, stdin: script })
  }

  /** Keys are not recorded, because users type passwords without echo. */
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

  connection(message: ConnectionMessage): void {
    if (this.#isOver) return
    const refusal = this.#statements.asked(message)
    if (refusal === undefined) this.#agent?.send({ ...message, sid: this.sid })
    else if (refusal !== 'over') this.fail(refusal.code, refusal.reason)
  }

  /** Agents that do not know this packet continue to send. */
  pause(): void {
    if (!this.#isOver) this.#agent?.send({ kind: 'pause', sid: this.sid })
  }

  resume(): void {
    if (!this.#isOver) this.#agent?.send({ kind: 'resume', sid: this.sid })
  }

  /** Ends the command after its client has left. The agent gets some time to report the end. */
  leave(): void {
    if (this.#isOver || this.#leaving !== undefined) return
    // The user usually closes a port on purpose, so this end is a success.
    if (this.#isPort && this.#opened) return void this.#end({ ...NOTHING_LEFT_OUT, exitCode: 0 }, '')
    if (!this.#started || this.#agent === undefined) return this.fail('client-left', HAS_LEFT)
    const late = `${HAS_LEFT}, and the agent did not report the end of the command in time`
    const leaveMs = Math.min(this.#agent.longestEndMs ?? LEAVE_MS, MAX_LIFE_MS)
    this.#leaving = setTimeout(() => this.fail('client-left', late), leaveMs)
    this.#agent.send({ kind: 'close', sid: this.sid })
  }

  /** Ends the session from the gateway's side. @param by user who has ended the session */
  fail(code: RpcCode, reason: string, by?: string): void {
    this.#fail({ code, reason, by })
  }

  get #isPort(): boolean {
    return this.#open.params.clientVerb === 'connect' && this.#open.wantsTerminal !== true
  }

  get #isOver(): boolean {
    return this.#life.signal.aborted
  }

  /** @returns the error of an agent that was lost before it opened the session */
  async *#onNextAgent(): AsyncGenerator<SessionMessage, AgentLostError | undefined, undefined> {
    const found = this.#isOver ? undefined : await this.#find(this.#life.signal)
    if (!(found instanceof AgentStream)) this.#fail(found ?? OFFLINE)
    else if (!this.#isOver) return yield* this.#converse(found)
    return undefined
  }

  /** @returns the same as `#onNextAgent` */
  async *#converse(
    agent: AgentStream,
  ): AsyncGenerator<SessionMessage, AgentLostError | undefined, undefined> {
    this.#agent = agent
    const opened = setTimeout(() => this.#openTimedOut(), OPEN_MS)
    const life = setTimeout(() => this.fail('session-expired', hoopWords.sessionExpired), MAX_LIFE_MS)
    try {
      for await (const message of agent.open(this.#open, this.#life.signal)) yield* this.#receive(message)
    } catch (error) {
      if (!(error instanceof AgentLostError)) throw error
      if (!this.#opened && !this.#started && !this.#isOver) {
        this.#agent = undefined
        return error
      }
      this.fail('agent-lost', error.message)
    } finally {
      clearTimeout(opened)
      clearTimeout(life)
      clearTimeout(this.#leaving)
      // Every end of a session sends a close (protocol.md 0.6), which has no effect on a lost stream.
      if (this.#leaving === undefined) agent.send({ kind: 'close', sid: this.sid })
    }
    return undefined
  }

  *#receive(message: AgentMessage): Generator<SessionMessage, void, undefined> {
    // The gateway may have ended the session before this message arrived.
    if (this.#isOver) return
    switch (message.kind) {
      case 'opened':
        if (this.#opened) return
        this.#opened = true
        this.#record.begin()
        return yield message
      case 'stdout':
      case 'stderr':
        this.#record.output(message)
        return yield message
      case 'connection-data':
      case 'connection-close':
      case 'connection-end':
      case 'connection-pause':
      case 'connection-resume':
        this.#answered(message)
        if (this.#isPort) yield message
        return
      case 'closed':
        this.#hasClosed(message)
        return
      case 'keepalive':
      case 'draining':
      case 'unsupported':
        return
    }
  }

  #answered(message: ConnectionMessage): void {
    this.#statements.answered(message)
    if (message.kind !== 'connection-data') return
    const { guardrailsInfo, masked } = message
    if (guardrailsInfo !== undefined) this.#broken.add(decodeGuardrailsInfo(guardrailsInfo))
    if (masked !== undefined) this.#record.masked(masked)
  }

  #openTimedOut(): void {
    if (!this.#opened)
      this.fail('agent-silent', `the agent did not open the session within ${OPEN_MS / 1000} s`)
  }

  #hasClosed(message: ClosedMessage): void {
    this.#record.closed(message)
    const { guardrails = [], ...rest } = message
    this.#broken.add(guardrails)
    // A rule ends no port. Its close only repeats what the refusals have said.
    const broken = this.#isPort ? [] : withNames(guardrails, this.#rules)
    const closed = broken.length === 0 ? rest : { ...rest, guardrails: broken }
    const { exitCode = NO_AGENT_CODE, truncatedBytes, redactedBytes } = closed
    const said = this.#leaving === undefined ? closed.message : behind(HAS_LEFT, closed.message)
    const code = this.#leaving === undefined ? agentsCause(closed.endReason) : 'client-left'
    const cause = code === undefined ? {} : { cause: { code } }
    const ending = { exitCode, truncatedBytes, redactedBytes, closed, ...cause }
    this.#end(ending, said + blockedText(broken))
  }

  #fail(failure: RpcFailure): SessionEnd {
    const { code, by } = failure
    const cause = { code, ...(by !== undefined && { by }) }
    const ending = { ...NOTHING_LEFT_OUT, exitCode: NO_AGENT_CODE, failure, cause }
    return this.#end(ending, failureText(failure))
  }

  /** Ends the session. After the first end, further calls change nothing and return the first end. */
  #end(ending: SessionEnd, text: string): SessionEnd {
    if (this.#ending !== undefined) return this.#ending
    const brokenRules = this.#broken.all
    const { ranFor } = this.#record
    this.#ending = {
      ...ending,
      ...(brokenRules.length > 0 && { brokenRules }),
      ...(ranFor !== undefined && { ranForSeconds: ranFor }),
    }
    this.#statements.close()
    this.#record.close(text)
    this.#life.abort(OVER)
    return this.#ending
  }
}

/**
 * Puts `beginning` before the message. The message starts with a line break if the output ended without
 * one. `beginning` then comes after this line break.
 */
function behind(beginning: string, message: string): string {
  return message === '' ? '' : message.replace(/^\n?/, (lineBreak) => `${lineBreak}${beginning}: `)
}

/** A failed write is not thrown: the command has run, and its client still needs the ending. */
function recordEnd(record: SessionRecord, ending: SessionEnd): SessionEnd {
  const { exitCode, truncatedBytes, redactedBytes, brokenRules, cause } = ending
  try {
    record.finish({
      exitCode: rowExitCode(exitCode),
      truncatedBytes,
      redactedBytes,
      ...(brokenRules !== undefined && { guardrails: JSON.stringify(brokenRules.map(guardrailInfoJson)) }),
      ...(cause !== undefined && { cause }),
    })
    return ending
  } catch (error) {
    if (!(error instanceof HistoryError)) throw error
    return { ...ending, unrecorded: error.message }
  }
}

/** An invalid code is recorded like a missing code (protocol.md 4.6). */
function rowExitCode(exitCode: number): number {
  return exitCode === NO_AGENT_CODE ? NO_EXIT_CODE : exitCode
}

export interface RpcFailure {
  readonly code: RpcCode
  readonly reason: string
  readonly by?: string | undefined
}

/** Returns the error in grpc-go's form. hoop's gateway uses this form in REST answers and records. */
function failureText({ code, reason }: RpcFailure): string {
  return `rpc error: code = ${rpcStatus(code)} desc = ${reason}`
}
