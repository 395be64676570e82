import { createHash, randomUUID } from 'node:crypto'
import pLimit from 'p-limit'
import type { Logger } from '../../basics/logger.ts'
import type { OutputMessage, SessionId } from '../../wire/messages/message.ts'
import type { CheckedChoices } from '../executions/choices/checked-choices.ts'
import type { History } from '../history/history.ts'
import type { Ticket, Tickets } from '../jira/tickets.ts'
import { HistoryError, refusedCode } from '../store/errors.ts'
import { isInside } from '../reviews/time-window.ts'
import type { TimeWindow } from '../reviews/review.ts'
import { requestBytes, type SessionRequest } from '../sessions/session-request.ts'
import { NO_AGENT_CODE, type GatewaySession, type SessionEnd } from '../sessions/session.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { Users } from '../people/identities/users.ts'
import {
  endStatus,
  hasGoneWrong,
  type Batch,
  type BatchRun,
  type BatchState,
  type BatchStop,
  type BatchStopReason,
} from './batch.ts'
import { type BatchRequest, runRequest } from './run-request.ts'

export interface BatchServices {
  readonly choices: CheckedChoices
  readonly history: History
  readonly sessions: Sessions
  readonly tickets: Tickets
  readonly users: Users
  readonly log: Logger
}

/** Reasons that concern all connections of the batch. */
const UNBEGUN: ReadonlySet<BatchStopReason | undefined> = new Set<BatchStopReason>([
  'history',
  'gateway-stopped',
])

export interface BatchWork {
  readonly request: BatchRequest
  /** Time of day at which the reviewers allow runs. */
  readonly timeWindow?: TimeWindow | undefined
  /** The session of the first run, which has waited for the approval. */
  readonly first?: GatewaySession
}

/**
 * Runs the waves one after the other, and each run once. Writes the start of a run to the disk before it
 * sends anything to the agent. If a result cannot be written, it stays in memory until a write succeeds.
 */
export class RunningBatch {
  readonly #services: BatchServices
  readonly #work: BatchWork
  readonly #runs: BatchRun[]
  #batch: Batch
  /** Positions of runs whose changes are not written yet. */
  readonly #unsaved = new Set<number>()

  constructor(services: BatchServices, state: BatchState, work: BatchWork) {
    this.#services = services
    this.#batch = state.batch
    this.#runs = [...state.runs]
    this.#work = work
  }

  get state(): BatchState {
    return { batch: this.#batch, runs: this.#runs }
  }

  /** Never rejects. */
  async run(): Promise<void> {
    const { log } = this.#services
    const { id, owner, waves, parallel } = this.#batch
    log.info({ batch: id, user: owner, connections: this.#runs.length }, 'batch started')
    for (const wave of waves.keys()) {
      const places = pLimit(parallel)
      const positions = this.#runs.filter((run) => run.wave === wave + 1).map(({ position }) => position)
      await Promise.all(positions.map((position) => places(() => this.#runOne(position))))
    }
    this.#end()
  }

  /** Prevents further runs. Running sessions continue. */
  stop(stop: BatchStop): void {
    if (this.#batch.stop !== undefined || this.#batch.status !== 'running') return
    this.#batch = { ...this.#batch, stop }
    this.#services.log.warn({ batch: this.#batch.id, reason: stop.reason }, 'batch stops')
    this.save()
  }

  /** @param by name of the user who stops the batch */
  kill(by: string): void {
    for (const { status, session } of this.#runs)
      if (status === 'running' && session !== undefined) this.#services.sessions.kill(session, by)
  }

  /** @returns false if the changes could not be written */
  save(): boolean {
    try {
      this.#write()
      return true
    } catch (error) {
      if (!(error instanceof HistoryError)) throw error
      this.#services.log.error(
        { batch: this.#batch.id, error: error.message },
        'batch not recorded; will retry',
      )
      return false
    }
  }

  #write(): void {
    const changed = this.#runs.filter(({ position }) => this.#unsaved.has(position))
    this.#services.history.write(({ batches }) => batches.update(this.#batch, changed))
    this.#unsaved.clear()
  }

  #end(): void {
    const isWhole = this.#runs.every(({ status }) => status !== 'not-begun')
    const { stop, ...batch } = this.#batch
    this.#batch = {
      ...batch,
      // If all runs have begun, the reason to stop had no effect and is dropped.
      ...(stop !== undefined && !isWhole && { stop }),
      status: isWhole ? 'done' : 'stopped',
      endedAt: Date.now(),
    }
    this.#services.log.info({ batch: batch.id, status: this.#batch.status }, 'batch ended')
    this.save()
  }

  async #runOne(position: number): Promise<void> {
    const { first } = this.#work
    try {
      if (position === 0 && first !== undefined) await this.#follow(position, first, this.#work.request)
      else if (this.#mayBegin()) await this.#begin(position)
    } catch (error) {
      this.#refused(position, error as Error)
    }
  }

  /** Tells whether another run may begin. If not, stops the batch with the reason. */
  #mayBegin(): boolean {
    const { users } = this.#services
    const wrong = this.#runs.filter(hasGoneWrong)
    const { threshold, stop, owner } = this.#batch
    const { timeWindow, request } = this.#work
    if (stop !== undefined) return false
    const obstacle = users.obstacleOf(owner, request.asker)
    if (wrong.length >= threshold) this.stop({ reason: 'threshold', message: thresholdText(wrong) })
    else if (timeWindow !== undefined && !isInside(timeWindow, new Date()))
      this.stop({
        reason: 'outside-time-window',
        message: `the approval allows runs only from ${timeWindow.start} to ${timeWindow.end} UTC`,
      })
    else if (obstacle !== undefined) this.stop({ reason: 'not-permitted', message: `${owner} ${obstacle}` })
    return this.#batch.stop === undefined
  }

  async #begin(position: number): Promise<void> {
    const { tickets, users } = this.#services
    const { connection } = this.#at(position)
    const request = runRequest(users, this.#batch, { request: this.#work.request, connection })
    await this.#services.choices.check(request)
    if (!this.#mayBegin()) return
    const ticket = await tickets.open(request, this.#work.request.jiraFields ?? {})
    if (ticket !== undefined && !this.#mayBegin()) {
      tickets.unused(ticket, new Error('the batch was stopped'))
      return
    }
    try {
      await this.#open(position, request, ticket)
    } catch (error) {
      if (ticket !== undefined && this.#at(position).status !== 'running')
        tickets.unused(ticket, error as Error)
      throw error
    }
  }

  async #open(position: number, request: SessionRequest, ticket: Ticket | undefined): Promise<void> {
    const sid = ticket?.sid ?? (randomUUID() as SessionId)
    this.#change(position, { status: 'running', session: sid, startedAt: Date.now() })
    const session = await this.#opened(position, { ...request, sid })
    await this.#follow(position, session, request)
  }

  /** @throws the errors of `Sessions.open`. After an error, the run counts as not begun. */
  async #opened(position: number, request: SessionRequest): Promise<GatewaySession> {
    const { history, sessions } = this.#services
    try {
      return await history.patiently(() => {
        this.#write()
        return sessions.open(request)
      }, requestBytes(request))
    } catch (error) {
      const { position: at, wave, connection } = this.#at(position)
      this.#runs[position] = { position: at, wave, connection, status: 'not-begun' }
      this.#unsaved.add(position)
      throw error
    }
  }

  async #follow(
    position: number,
    session: GatewaySession,
    { script }: Pick<SessionRequest, 'script'>,
  ): Promise<void> {
    const fingerprint = new Fingerprint()
    for await (const message of session.run()) {
      if (message.kind === 'opened') session.exec(script)
      else if (message.kind === 'stdout' || message.kind === 'stderr') fingerprint.add(message)
    }
    this.#change(position, {
      ...resultOf(await session.ended),
      endedAt: Date.now(),
      fingerprint: fingerprint.end(),
    })
    this.save()
  }

  #refused(position: number, error: Error): void {
    if (error instanceof HistoryError) this.stop({ reason: 'history', message: error.message })
    const hasNotBegun = this.#at(position).status === 'not-begun'
    // The batch's reason applies to all connections, so this run is not marked as failed.
    if (hasNotBegun && UNBEGUN.has(this.#batch.stop?.reason)) return
    const code = refusedCode(error) ?? 'internal-error'
    if (code === 'internal-error')
      this.#services.log.error(
        { batch: this.#batch.id, error: error.message, stack: error.stack },
        'run failed',
      )
    const message = code === 'internal-error' ? 'internal error' : error.message
    this.#change(position, { status: 'failed', code, message, endedAt: Date.now() })
    this.save()
  }

  #at(position: number): BatchRun {
    const run = this.#runs[position]
    if (run === undefined) throw new Error('unreachable: every position has a run')
    return run
  }

  #change(position: number, change: Partial<BatchRun>): void {
    this.#runs[position] = { ...this.#at(position), ...change }
    this.#unsaved.add(position)
  }
}

function thresholdText(wrong: readonly BatchRun[]): string {
  const isAnyStopped = wrong.some(({ status }) => status === 'stopped')
  return `${wrong.length} of the runs failed${isAnyStopped ? ' or were stopped' : ''}`
}

function resultOf({ exitCode, failure, cause }: SessionEnd): Partial<BatchRun> {
  return {
    status: endStatus(failure === undefined ? exitCode : undefined, cause?.code),
    ...(exitCode !== NO_AGENT_CODE && { exitCode }),
    ...(failure !== undefined && { code: failure.code, message: failure.reason }),
  }
}

/**
 * Hashes the output of a run, in which secrets are already replaced. Hashes stdout and stderr separately,
 * because their order is random.
 */
class Fingerprint {
  readonly #streams = { stdout: createHash('sha256'), stderr: createHash('sha256') }

  add({ kind, data }: OutputMessage): void {
    this.#streams[kind].update(data)
  }

  /** Call this method once. */
  end(): string {
    const { stdout, stderr } = this.#streams
    return createHash('sha256').update(stdout.digest()).update(stderr.digest()).digest('hex')
  }
}
