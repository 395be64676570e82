import { randomUUID } from 'node:crypto'
import { NO_EXIT_CODE } from '../../basics/exit-code.ts'
import type { Logger } from '../../basics/logger.ts'
import type { Redaction } from '../../policy/redaction/redactor.ts'
import { patience, untilAbort } from '../../basics/abort.ts'
import { hoopWords } from '../../wire/gateway-words.ts'
import type { SessionId } from '../../wire/messages/message.ts'
import type { AgentStream } from '../agents/agent-stream.ts'
import type { Agents } from '../agents/agents.ts'
import type { Budgets } from '../people/identities/budgets.ts'
import type { Users } from '../people/identities/users.ts'
import type { History } from '../history/history.ts'
import { type EndCause, type SessionAsking, type SessionSummary } from '../history/session.ts'
import { HistoryError } from '../store/errors.ts'
import { refused, type RequestRefused } from '../refusals/request-refused.ts'
import { GatewaySession, type RpcFailure, type SessionEnd } from './session.ts'
import { RecordRedactions, SessionRecord } from './session-record.ts'
import {
  stateOf,
  type AgentWait,
  type LockObstacle,
  type SessionState,
  type Stated,
} from './session-state.ts'
import { SessionTally } from './session-tally.ts'
import { newSession, openMessage, requestBytes, useOf, type SessionRequest } from './session-request.ts'
import type { Current } from '../settings/settings.ts'
import type { RpcCode } from '../../contract/statuses.ts'

/**
 * Limit for all running sessions of one user together: scripts, variables and redactions. Eight scripts of
 * the largest size fit.
 */
const MAX_BYTES_OF_ONE_USER = 128 * 1024 * 1024

/** Needed because a caller who does not wait for answers could begin thousands of sessions in a second. */
const MAX_SESSIONS_OF_ONE_USER = 1000

/** The reason that sessions get if they still run at the end of `stop-timeout`. */
const OUT_OF_TIME = `${hoopWords.gatewayShutdown}: stop-timeout was over before the session had ended`

/** The text says that the command has not run, so the caller can retry. */
export function gatewayDraining(): RequestRefused {
  return refused('gateway-draining')
}

interface RunningSession {
  readonly session: GatewaySession
  readonly user: string
  readonly bytes: number
}

/** A session that waits for a decision. */
export interface WaitingSession {
  readonly sid: SessionId
  /** Replaces the secrets in a text in the same way as in the session's record. */
  readonly shown: (text: Buffer) => Buffer
  /** True if the session's script contains secrets. */
  readonly hasSecrets: boolean
}

export interface LockQueue {
  /** Throws when too many sessions wait already. Then the session must not begin. */
  checkRoom(request: SessionRequest): void
  /** The session keeps its place, and later its locks, until `leave`. */
  enter(sid: SessionId, request: SessionRequest): void
  /**
   * Settles when the session has its locks or is over.
   * @returns a text about the lock for which the session has waited too long
   */
  reached(sid: SessionId, over: AbortSignal): Promise<string | undefined>
  /** The lock for which a session waits at this moment. */
  obstacle(sid: string): LockObstacle | undefined
  leave(sid: string): void
}

interface SessionsServices {
  readonly agents: Agents
  readonly history: History
  readonly settings: Current<'limits'>
  readonly log: Logger
  readonly locks: LockQueue
  readonly budgets: Budgets
  readonly users: Pick<Users, 'identity' | 'obstacleOf'>
}

export class Sessions {
  readonly #agents: Agents
  readonly #history: History
  readonly #settings: Current<'limits'>
  readonly #log: Logger
  readonly tally = new SessionTally()
  readonly #running = new Map<string, RunningSession>()
  /** Sessions that wait for an agent that is not connected. */
  readonly #agentWaits = new Map<string, AgentWait>()
  readonly #redactions = new RecordRedactions()
  readonly #locks: LockQueue
  readonly #budgets: Budgets
  readonly #users: SessionsServices['users']
  #stopsAt: number | undefined
  #closing = false

  constructor({ agents, history, settings, log, locks, budgets, users }: SessionsServices) {
    this.#agents = agents
    this.#history = history
    this.#settings = settings
    this.#log = log
    this.#locks = locks
    this.#budgets = budgets
    this.#users = users
  }

  get running(): number {
    return this.#running.size
  }

  /** Time at which a stopping gateway ends running sessions, in ms since 1970. Undefined before. */
  get stopsAt(): number | undefined {
    return this.#stopsAt
  }

  /**
   * The session runs while the caller reads its messages. Call this in `History.patiently`.
   * @throws HistoryError, RequestRefused
   */
  open(request: SessionRequest): GatewaySession {
    const { redaction, bytes } = this.#checked(request)
    const sid = request.sid ?? (randomUUID() as SessionId)
    this.#create(sid, request, redaction, {})
    return this.#start(sid, request, { redaction, bytes })
  }

  /**
   * Returns the script and the reason with their secrets replaced, as in the record of a session, but begins no session.
   * Returns undefined for a session that would be refused.
   * @throws the same errors as `open`
   */
  preview(request: SessionRequest): { readonly script: string; readonly reason: string } | undefined {
    const { redaction, bytes } = this.#checked(request)
    this.#budgets.check(request.user)
    this.#explained(() =>
      this.#history.checkRoom({ user: request.user, connection: request.connection.name }, bytes),
    )
    if (this.#refusalOf(request) !== undefined) return undefined
    const { script, reason = '' } = newSession('' as SessionId, request, (text) => redaction.replaceIn(text))
    return { script: script.toString('utf8'), reason }
  }

  /** @throws RequestRefused for a session that may not open now */
  #checked(request: SessionRequest): { readonly redaction: Redaction; readonly bytes: number } {
    this.#checkServing()
    const { redaction, ownBytes } = this.#redactions.of(request)
    const bytes = this.#boundedBytes(request, ownBytes)
    this.#locks.checkRoom(request)
    return { redaction, bytes }
  }

  /** Adds a session that waits to the history, and does not run it. @throws HistoryError, RequestRefused */
  begin(request: SessionRequest): WaitingSession {
    this.#checkServing()
    const { redaction } = this.#redactions.of(request)
    const sid = request.sid ?? (randomUUID() as SessionId)
    this.#create(sid, request, redaction, { waits: true })
    const shown = (text: Buffer) => redaction.replaceIn(text)
    return { sid, shown, hasSecrets: !shown(request.script).equals(request.script) }
  }

  /**
   * Prepares a session that waits.
   * @returns a function that starts the session, once
   * @throws RequestRefused; then the session continues to wait
   */
  prepare(sid: SessionId, request: SessionRequest): () => GatewaySession {
    const { redaction, bytes } = this.#checked(request)
    return () => this.#start(sid, { ...request, sid }, { redaction, bytes })
  }

  /** Ends a session that waits and has not run. @throws HistoryError when the end could not be written yet */
  endWaiting(sid: string, text: string, cause: EndCause): void {
    if (!this.#history.isOpen(sid) || this.#running.has(sid)) return
    const endedAt = new Date()
    const { clockAt = endedAt } = this.#history.session(sid) ?? {}
    const seconds = Math.max(0, Number(endedAt) - Number(clockAt)) / 1000
    this.#history.append(sid, 'e', Buffer.from(text), seconds)
    this.#history.finish(sid, { exitCode: NO_EXIT_CODE, truncatedBytes: 0, endedAt, cause })
    this.#log.info({ sid, exitCode: NO_EXIT_CODE }, 'session ended without a run')
  }

  /** @param by user who stops the session @returns false when the session does not run */
  kill(id: string, by: string): boolean {
    return this.end(id, 'session-killed', `${hoopWords.sessionKilled}: ${by}`, by)
  }

  /** @returns false when the session does not run */
  end(id: string, code: RpcCode, reason: string, by?: string): boolean {
    const running = this.#running.get(id)
    running?.session.fail(code, reason, by)
    return running !== undefined
  }

  stateOf(session: Stated & Pick<SessionSummary, 'id'>): SessionState {
    return stateOf(session, this.#locks.obstacle(session.id) ?? this.agentWait(session.id))
  }

  /** The agent for which the session waits at this moment. */
  agentWait(id: string): AgentWait | undefined {
    return this.#agentWaits.get(id)
  }

  /** Refuses new sessions, ends sessions that wait for a lock or an agent, and waits for running sessions. */
  async drain(forMs: number, over: AbortSignal): Promise<void> {
    this.#stopsAt = Date.now() + forMs
    for (const { session } of this.#running.values())
      if (session.isWaiting) session.fail('gateway-draining', gatewayDraining().message)
    await untilAbort(this.#allEnded(), patience(forMs, over))
    if (this.#running.size > 0 && !over.aborted) await this.close(OUT_OF_TIME)
  }

  async #allEnded(): Promise<void> {
    while (this.#running.size > 0)
      await Promise.allSettled([...this.#running.values()].map(({ session }) => session.ended))
  }

  /** Ends all running sessions, and waits until all ends are recorded. */
  async close(reason: string = hoopWords.gatewayShutdown): Promise<void> {
    this.#closing = true
    const running = [...this.#running.values()]
    for (const { session } of running) session.fail('gateway-stopped', reason)
    await Promise.allSettled(running.map(({ session }) => session.ended))
  }

  /** @throws RequestRefused */
  #checkServing(): void {
    if (this.#stopsAt !== undefined && !this.#closing) throw gatewayDraining()
  }

  #start(
    sid: SessionId,
    request: SessionRequest,
    { redaction, bytes }: { readonly redaction: Redaction; readonly bytes: number },
  ): GatewaySession {
    const { user, connection } = request
    const identity = this.#users.identity(user)
    if (request.sid !== undefined) void this.#noteRun(sid)
    const record = new SessionRecord(sid, this.#history, redaction, request.origin)
    this.#locks.enter(sid, request)
    const find = async (over: AbortSignal) => {
      const found = await this.#waitForTurnAndAgent(sid, connection.agent, over)
      // The wait may have lasted for hours.
      const obstacle = this.#users.obstacleOf(user, identity)
      return obstacle === undefined ? found : notRunFor(user, obstacle)
    }
    const session = new GatewaySession(openMessage(sid, request), record, find, connection.guardrails)
    this.#running.set(sid, { session, user, bytes })
    void this.#follow(session, request)
    return session
  }

  /** Waits first for the locks, then for the agent. */
  async #waitForTurnAndAgent(
    sid: SessionId,
    agent: string,
    over: AbortSignal,
  ): Promise<AgentStream | RpcFailure | undefined> {
    const obstacle = await this.#locks.reached(sid, over)
    if (obstacle !== undefined)
      return {
        code: 'lock-busy',
        reason: `nothing has run: the session waited too long for a lock; ${obstacle}`,
      }
    return this.#waitForAgent(sid, agent, over)
  }

  async #waitForAgent(sid: SessionId, agent: string, over: AbortSignal): Promise<AgentStream | undefined> {
    const { agentWaitMs } = this.#settings.value.limits
    if (!this.#agents.isOnline(agent))
      this.#agentWaits.set(sid, { agent, until: new Date(Date.now() + agentWaitMs) })
    try {
      return await this.#agents.waitFor(agent, agentWaitMs, over)
    } finally {
      this.#agentWaits.delete(sid)
    }
  }

  /** Notes that the session runs: at its end, its Jira issue is moved only if the session has run. */
  async #noteRun(sid: SessionId): Promise<void> {
    try {
      if (this.#history.read(({ issues }) => issues.has(sid)))
        await this.#history.patiently(() => this.#history.write(({ issues }) => issues.run(sid)))
    } catch (error) {
      if (!(error instanceof HistoryError)) throw error
      this.#log.error(
        { sid, error: error.message },
        'cannot note the end of a session for its Jira issue; the issue will not be moved',
      )
    }
  }

  /**
   * Returns the bytes that this request holds in memory.
   * @throws RequestRefused when the user has too many running sessions, or too many bytes in them
   */
  #boundedBytes(request: SessionRequest, redactionBytes: number): number {
    const bytes = requestBytes(request) + redactionBytes
    const running = [...this.#running.values()].filter(({ user }) => user === request.user)
    if (running.length >= MAX_SESSIONS_OF_ONE_USER)
      throw refused('too-much-at-once/sessions', { count: running.length })
    const together = running.reduce((sum, one) => sum + one.bytes, bytes)
    if (together <= MAX_BYTES_OF_ONE_USER) return bytes
    throw refused('too-much-at-once/session-bytes')
  }

  #create(
    sid: SessionId,
    request: SessionRequest,
    redaction: Redaction,
    how: Pick<SessionAsking, 'waits'>,
  ): void {
    this.#budgets.check(request.user)
    const { clientIp, askedWith: token } = request
    const session = newSession(sid, request, (text) => redaction.replaceIn(text))
    this.#explained(() => this.#history.begin(session, { clientIp, token, ...how }))
  }

  /** @throws the errors of `work`, in words for users */
  #explained(work: () => void): void {
    try {
      work()
    } catch (error) {
      if (!(error instanceof HistoryError)) throw error
      const { noRoom } = error
      throw new HistoryError(hoopWords.sessionNotCreated(error.message), { noRoom, cause: error })
    }
  }

  /** Never rejects: the reader of the session gets the same error and handles it. */
  async #follow(session: GatewaySession, request: SessionRequest): Promise<void> {
    const { sid } = session
    const { connection, user, origin, verb } = request
    this.#log.info({ sid, connection: connection.name, user, origin, verb }, 'session started')
    const refusal = this.#refusalOf(request)
    if (refusal !== undefined) session.fail(...refusal)
    try {
      const ending = await session.ended
      this.tally.count(ending)
      this.#logEnd(sid, request, ending)
    } catch (error) {
      this.#log.error({ sid, error: (error as Error).message }, 'session failed')
    } finally {
      this.#running.delete(sid)
      this.#locks.leave(sid)
    }
  }

  #logEnd(
    sid: SessionId,
    { connection: { name: connection }, user }: SessionRequest,
    ending: SessionEnd,
  ): void {
    const { exitCode, truncatedBytes, brokenRules, unrecorded, failure, cause } = ending
    const code = failure?.code ?? cause?.code
    for (const { ruleName: rule, type, direction } of brokenRules ?? [])
      this.#log.warn({ sid, rule, type, direction }, 'a guardrail rule was broken')
    if (unrecorded !== undefined) this.#log.error({ sid, error: unrecorded }, 'session not recorded')
    this.#log.info({ sid, connection, user, exitCode, code, truncatedBytes }, 'session ended')
  }

  /** Returns why the session may not run. As in hoop, this is decided before the wait for the agent. */
  #refusalOf(request: SessionRequest): readonly [code: RpcCode, reason: string] | undefined {
    const use = useOf(request)
    const { access } = request.connection
    if (this.#closing) return ['gateway-stopped', hoopWords.gatewayShutdown]
    if (!access[use]) return ['not-permitted', hoopWords.disabled(use)]
    if (use !== 'connect' || !bringsMore(request) || access.clientInput) return undefined
    const reason = 'connect accepts no arguments or variables on this connection (access.client-input)'
    return ['client-input-refused', reason]
  }
}

function notRunFor(user: string, obstacle: string): RpcFailure {
  return { code: 'not-permitted', reason: `nothing has run: ${user} ${obstacle}` }
}

/**
 * Tests if the user gives arguments or variables. On a terminal they need a right of their own, because the
 * program of a terminal may allow less than a shell. `exec` needs no such right: it allows any script.
 */
function bringsMore({ clientArgs, envVars }: SessionRequest): boolean {
  return clientArgs.length > 0 || envVars.size > 0
}
