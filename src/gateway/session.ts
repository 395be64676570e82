import type { AgentMessage, OpenMessage, SessionId } from '../wire/message.ts'
import type { AgentStream, SessionSink } from './agents.ts'
import type { History } from './history/history.ts'
import { HistoryError } from './history/session.ts'

/** How a session ended, for its answer. */
export interface SessionEnding {
  /** -2: no valid code could be had. */
  readonly exitCode: number
  /** The gateway could not learn the result from the agent; the text is in the output. */
  readonly clientError: boolean
  readonly truncatedBytes: number
  /** Why end or output could not be written into the history, at least not yet. */
  readonly unrecorded?: string
}

/** "Unable to obtain a valid exit code from the agent": the published contract's number for it. */
export const NO_AGENT_CODE = -2
/** An agent tries a database's port for up to 5 s before it answers. */
const OPEN_MS = 60_000
/** As hoop's gateway: no session lives longer. */
const MAX_LIFE_MS = 48 * 60 * 60 * 1000

/** One session on an agent: opens it, sends the script, records what comes back until it ends. */
export class Session implements SessionSink {
  readonly sid: SessionId
  readonly #open: OpenMessage
  readonly #script: Buffer
  readonly #history: History
  readonly #startedAt = performance.now()
  readonly #ended: Promise<SessionEnding>
  #settle!: (ending: SessionEnding) => void
  #agent: AgentStream | undefined
  #scriptSent = false
  #over = false

  constructor(open: OpenMessage, script: Buffer, history: History) {
    this.sid = open.sid
    this.#open = open
    this.#script = script
    this.#history = history
    this.#ended = new Promise((resolve) => (this.#settle = resolve))
  }

  /** Settles with the end; by then output and end are recorded, or the ending says why they are not. */
  async run(agent: AgentStream): Promise<SessionEnding> {
    this.#agent = agent
    agent.add(this.sid, this)
    const opened = setTimeout(() => this.#openTimedOut(), OPEN_MS)
    const life = setTimeout(
      () => this.fail('reached max timeout (48h0m0s) waiting for session to end'),
      MAX_LIFE_MS,
    )
    try {
      agent.send(this.#open)
      return recordEnd(this.#history, this.sid, await this.#ended)
    } finally {
      clearTimeout(opened)
      clearTimeout(life)
      agent.remove(this.sid)
      // Always, for every way a session ends (protocol.md 0.6); on a lost stream nobody hears it.
      agent.send({ kind: 'close', sid: this.sid })
    }
  }

  /** Ends the session from this side; the text stands where the original gateway puts its gRPC errors. */
  fail(reason: string): void {
    this.#end(
      { exitCode: NO_AGENT_CODE, clientError: true, truncatedBytes: 0 },
      `rpc error: code = Unknown desc = ${reason}`,
    )
  }

  receive(message: AgentMessage): void {
    if (this.#over) return
    switch (message.kind) {
      case 'opened':
        return this.#sendScript()
      case 'stdout':
      case 'stderr':
        return this.#history.append(this.sid, 'o', message.data, this.#seconds())
      case 'closed':
        return this.#closed(message.exitCode, message.message, message.truncatedBytes)
      case 'keepalive':
      case 'unsupported':
        return
    }
  }

  /** Once, however often an agent says it is open: a second script would run a second time. */
  #sendScript(): void {
    if (this.#scriptSent) return
    this.#scriptSent = true
    this.#history.append(this.sid, 'i', this.#script, this.#seconds())
    this.#agent?.send({ kind: 'exec', sid: this.sid, stdin: this.#script })
  }

  /** An end without a code cannot be called a success. */
  #closed(exitCode: number | undefined, message: string, truncatedBytes: number): void {
    this.#end(
      { exitCode: exitCode ?? NO_AGENT_CODE, clientError: exitCode === undefined, truncatedBytes },
      message,
    )
  }

  #openTimedOut(): void {
    if (!this.#scriptSent) this.fail(`the agent did not open the session within ${OPEN_MS / 1000} s`)
  }

  /** The first end wins. */
  #end(ending: SessionEnding, text: string): void {
    if (this.#over) return
    this.#over = true
    if (text !== '') this.#history.append(this.sid, 'e', Buffer.from(text), this.#seconds())
    this.#settle(ending)
  }

  #seconds(): number {
    return (performance.now() - this.#startedAt) / 1000
  }
}

/** Records an end. The command has run, whatever becomes of its record: a failure is told, not thrown. */
export function recordEnd(history: History, sid: SessionId, ending: SessionEnding): SessionEnding {
  const { exitCode, truncatedBytes } = ending
  try {
    history.finish(sid, { exitCode: rowExitCode(exitCode), truncatedBytes, endedAt: new Date() })
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
