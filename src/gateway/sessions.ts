import { randomUUID } from 'node:crypto'
import type { Logger } from '../basics/logger.ts'
import type { SessionId } from '../wire/message.ts'
import type { Agents } from './agents.ts'
import type { History } from './history/history.ts'
import { HistoryError } from './history/session.ts'
import { Session, type SessionAudience, type SessionEnding } from './session.ts'
import { newSession, openMessage, useOf, type SessionRequest } from './session-request.ts'
import type { GatewaySettings } from './settings/settings.ts'

/** A session that has begun. */
export interface Begun {
  readonly session: Session
  /** Settles when it is over and recorded. */
  readonly ended: Promise<SessionEnding>
}

/** All sessions, whoever asked for them: begins, records and ends them. */
export class Sessions {
  readonly #agents: Agents
  readonly #history: History
  readonly #agentWaitMs: number
  readonly #log: Logger
  readonly #running = new Map<string, Begun>()
  #closing = false

  constructor(agents: Agents, history: History, limits: GatewaySettings['limits'], log: Logger) {
    this.#agents = agents
    this.#history = history
    this.#agentWaitMs = limits.agentWaitMs
    this.#log = log
  }

  /** @throws HistoryError when it cannot be recorded: then it does not begin */
  begin(request: SessionRequest, audience: SessionAudience): Begun {
    const sid = randomUUID() as SessionId
    this.#create(sid, request)
    const session = new Session(openMessage(sid, request), this.#history, audience)
    const ended = this.#run(session, request).finally(() => this.#running.delete(sid))
    // Whoever waits gets the error; when nobody does it must not end the process.
    ended.catch((error: unknown) =>
      this.#log.error({ sid, error: (error as Error).message }, 'session failed'),
    )
    const begun = { session, ended }
    this.#running.set(sid, begun)
    return begun
  }

  /** @returns false when no such session runs */
  kill(id: string): boolean {
    const running = this.#running.get(id)
    running?.session.fail('session killed by the user')
    return running !== undefined
  }

  /** Ends what runs, begins nothing any more, and waits until it is recorded. */
  async close(): Promise<void> {
    this.#closing = true
    const running = [...this.#running.values()]
    for (const { session } of running) session.fail('gateway shutdown')
    await Promise.allSettled(running.map(({ ended }) => ended))
  }

  #create(sid: SessionId, request: SessionRequest): void {
    try {
      this.#history.begin(newSession(sid, request))
    } catch (error) {
      if (!(error instanceof HistoryError)) throw error
      throw new HistoryError(`the session couldn't be created: ${error.message}`, { cause: error })
    }
  }

  async #run(session: Session, request: SessionRequest): Promise<SessionEnding> {
    const { sid } = session
    const { connection, user, origin, verb } = request
    this.#log.info({ sid, connection: connection.name, user, origin, verb }, 'session started')
    this.#check(session, request)
    const ending = await session.run((over) =>
      this.#agents.waitFor(connection.agent, this.#agentWaitMs, over),
    )
    const { exitCode, truncatedBytes, unrecorded } = ending
    if (unrecorded !== undefined) this.#log.error({ sid, error: unrecorded }, 'session not recorded')
    this.#log.info({ sid, exitCode, truncatedBytes }, 'session ended')
    return ending
  }

  /** As the original: access comes before the agent, for which it waits. */
  #check(session: Session, request: SessionRequest): void {
    const use = useOf(request)
    if (this.#closing) session.fail('gateway shutdown')
    else if (!request.connection.access[use])
      session.fail(`${use} is disabled for this connection`, 'FailedPrecondition')
    else if (use === 'connect' && bringsMore(request) && !request.connection.access.clientInput)
      session.fail(
        'connect takes neither arguments nor variables on this connection (access.client-input)',
        'FailedPrecondition',
      )
  }
}

/** Whoever executes may send any script; a terminal's program may be one that does not let him. */
function bringsMore({ clientArgs, envVars }: SessionRequest): boolean {
  return clientArgs.length > 0 || envVars.size > 0
}
