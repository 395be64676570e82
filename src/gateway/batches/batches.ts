import { HistoryError } from '../store/errors.ts'
import { Turns } from '../../basics/turns.ts'
import type { Tables } from '../store/room.ts'
import type { ApprovedRuns } from '../reviews/approved-runs.ts'
import type { Reviews } from '../reviews/reviews.ts'
import { reviewRule } from '../reviews/rules.ts'
import { gatewayDraining } from '../sessions/sessions.ts'
import type { GatewayUser } from '../identity.ts'
import { type ConnectionRefusal, refused, type RequestRefused } from '../refusals/request-refused.ts'
import type { ConnectionSettings, Current } from '../settings/settings.ts'
import { commonRule } from './approval.ts'
import { newBatch, newRuns, wavesOf, type AskedBatch } from './asked-batch.ts'
import { askEach, batchRefused, connectionRefusal } from './batch-refused.ts'
import { isOver, type Batch, type BatchRun, type BatchState, type BatchStop } from './batch.ts'
import { checkUse, type BatchRequest } from './run-request.ts'
import { RunningBatch, type BatchServices, type BatchWork } from './running-batch.ts'
import { settled } from './settled.ts'

/**
 * Maximum number of waiting and running batches of one user. Each such batch keeps its script in memory, or
 * encrypted in the history.
 */
const MAX_ACTIVE_OF_ONE_USER = 20
/** Maximum number of batches in a list; the newest are listed. */
const LISTED = 50
/** Maximum number of runs in the history, for all batches together. */
const MAX_KEPT_RUNS = 100_000
const TICK_MS = 15_000

interface AllServices extends BatchServices {
  readonly reviews: Reviews
  readonly runs: ApprovedRuns
  readonly settings: Current<'limits' | 'history'>
}

export class Batches {
  readonly #services: AllServices
  readonly #running = new Map<string, { readonly batch: RunningBatch; readonly over: Promise<void> }>()
  readonly #timer: NodeJS.Timeout
  /** Retries of the same batch come one after the other, so that only the first one makes a batch. */
  readonly #retries = new Turns(1)
  #closing = false

  constructor(services: AllServices) {
    this.#services = services
    this.#timer = setInterval(() => this.tick(), TICK_MS).unref()
    this.tick()
  }

  get mostParallel(): number {
    return this.#services.settings.value.limits.batchParallel
  }

  /**
   * @param origin the ended batch whose connections the new batch runs again
   * @throws RequestRefused, HistoryError. After an error, no batch exists.
   */
  async create(asked: AskedBatch, user: GatewayUser, origin?: BatchState): Promise<BatchState> {
    this.#checkRoom(user)
    const { request, connections, file } = asked
    await this.#checkChoices(request, connections)
    const rules = connections.flatMap((connection) => {
      const rule = reviewRule({ ...request, connection }, user.groups, file)
      return rule === undefined ? [] : [rule]
    })
    const rule = commonRule(rules)
    const runs = newRuns(asked)
    if (rule !== undefined) return this.#ask({ asked, runs, rule, origin })
    const batch = { ...newBatch(asked), status: 'running', startedAt: Date.now() } as const
    const { history, users } = this.#services
    const asker = users.identity(user.name)
    await history.patiently(() => {
      this.#checkRoom(user)
      history.write((tables) => insert(tables, { batch, runs }, origin))
    })
    return this.#start({ batch, runs }, { request: { ...request, asker } })
  }

  /**
   * Runs connections of an ended batch again, once. The new batch and the mark in the ended one are written
   * together, so a killed gateway leaves both or none.
   * @param prepare makes the new batch, after the caller's right to it is checked
   * @throws RequestRefused, HistoryError. After an error, no new batch exists.
   */
  retry(
    id: string,
    caller: GatewayUser,
    prepare: (origin: BatchState) => Promise<AskedBatch>,
  ): Promise<BatchState> {
    return this.#retries.run(id, async () => {
      const origin = this.#visible(id, caller)
      if (!this.#services.users.owns(caller, { user: origin.batch.owner })) throw notFound()
      this.#settle(origin)
      checkRetry(origin, this.#running.has(id))
      return this.create(await prepare(origin), caller, origin)
    })
  }

  /**
   * Runs an approved batch. A batch runs only once.
   * @param asked caller, for the audit log
   * @param isAutomatic true if the gateway itself runs the batch, for its owner
   * @throws RequestRefused, HistoryError. After an error, the batch still waits.
   */
  async exec(
    id: string,
    caller: GatewayUser,
    asked: Pick<BatchRequest, 'askedWith' | 'clientIp'> = {},
    isAutomatic = false,
  ): Promise<BatchState> {
    const { runs, review } = this.#executable(id, caller)
    const request = this.#services.runs.request(review.id, caller)
    if (request.choices !== undefined)
      await this.#checkChoices(request, this.#connectionsOf(request.user, runs))
    return this.#claim(id, caller, asked, isAutomatic)
  }

  /** A batch that waits for its run, with its review. @throws RequestRefused */
  #executable(id: string, caller: GatewayUser) {
    if (this.#closing) throw gatewayDraining()
    const { batch, runs } = this.#visible(id, caller)
    const { review } = batch
    if (batch.status !== 'waiting' || review === undefined)
      throw refused('batch-wrong-state/not-waiting', { id, status: batch.status })
    this.#checkConnections(batch, runs)
    return { batch, runs, review }
  }

  #connectionsOf(owner: string, runs: readonly BatchRun[]): ConnectionSettings[] {
    const { users } = this.#services
    const user = users.named(owner)
    return runs.flatMap(({ connection: name }) => (user && users.connection(user, name)) ?? [])
  }

  /** Asks each connection for its lists, before the batch exists or is claimed. @throws RequestRefused */
  async #checkChoices(request: BatchRequest, connections: readonly ConnectionSettings[]): Promise<void> {
    const { choices } = this.#services
    if (request.choices === undefined) return
    await askEach(connections, (connection) => choices.check({ ...request, connection }))
  }

  #claim(
    id: string,
    caller: GatewayUser,
    asked: Pick<BatchRequest, 'askedWith' | 'clientIp'>,
    isAutomatic: boolean,
  ): BatchState {
    const { batch, runs, review } = this.#executable(id, caller)
    const started = { ...batch, status: 'running', startedAt: Date.now() } as const
    const first = {
      ...requireFirst(runs),
      status: 'running' as const,
      session: review.session,
      startedAt: started.startedAt,
    }
    const timeWindow = this.#services.reviews.visible(caller, review.id)?.timeWindow
    const claim = {
      id,
      connections: runs.map(({ connection }) => connection),
      write: ({ batches }: Tables) => batches.update(started, [first]),
    }
    const approved = this.#services.runs.start(review.id, caller, { batch: claim, isAutomatic })
    const { request, session } = approved
    const state = { batch: started, runs: [first, ...runs.slice(1)] }
    return this.#start(state, { request: { ...request, ...asked }, timeWindow, first: session })
  }

  /**
   * Stops the batch: its remaining runs never begin. A batch that has ended stays unchanged.
   * @param kill also ends the running sessions
   * @throws RequestRefused, HistoryError
   */
  stop(id: string, caller: GatewayUser, kill: boolean): BatchState {
    const state = this.#visible(id, caller)
    if (!this.#services.users.owns(caller, { user: state.batch.owner })) throw notFound()
    const running = this.#running.get(id)?.batch
    const stop = { reason: 'user', message: `${caller.name} stopped the batch` } as const
    running?.stop(stop)
    if (kill) running?.kill(caller.name)
    if (state.batch.status === 'waiting') this.#withdraw(state, stop, caller.name)
    return this.#state(id) ?? state
  }

  /** Returns undefined if the batch does not exist or the user may not see it. */
  find(id: string, user: GatewayUser): BatchState | undefined {
    const state = this.#state(id)
    return state !== undefined && this.#isConcerned(user, state) ? state : undefined
  }

  /** Newest first. */
  list(user: GatewayUser): BatchState[] {
    const viewer = this.#services.users.seesAll(user) ? undefined : user
    const states = this.#services.history.read(({ batches }) => batches.list(viewer, LISTED))
    return states.map((state) => this.#current(state))
  }

  /** Records the end of interrupted batches, retries failed writes, and removes old batches. */
  tick(): void {
    const { history, log } = this.#services
    try {
      for (const status of ['waiting', 'running'] as const)
        for (const state of history.read(({ batches }) => batches.withStatus(status))) this.#settle(state)
      const before = history.clock.trusted - this.#services.settings.value.history.retainMs
      history.write(({ batches }) => batches.prune(before, MAX_KEPT_RUNS))
    } catch (error) {
      if (!(error instanceof HistoryError)) throw error
      log.warn({ error: error.message }, 'cleanup of batches failed; will retry')
    }
  }

  /** Prevents new runs. Running sessions continue. */
  beginClosing(): void {
    this.#closing = true
    for (const { batch } of this.#running.values())
      batch.stop({ reason: 'gateway-stopped', message: 'the gateway was stopped while the batch ran' })
  }

  /** Settles when all runs have ended and their batches are saved. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.beginClosing()
    await Promise.all([...this.#running.values()].map(({ over }) => over))
    for (const { batch } of this.#running.values()) batch.save()
  }

  #start(state: BatchState, work: BatchWork): BatchState {
    const batch = new RunningBatch(this.#services, state, work)
    const { id } = state.batch
    const over = batch.run().finally(() => {
      // `tick` retries a failed save.
      if (batch.save()) this.#running.delete(id)
    })
    this.#running.set(id, { batch, over })
    return batch.state
  }

  /**
   * Stores the batch and asks for its approval. The session of the first run waits for the approval of all
   * runs.
   */
  async #ask({
    asked,
    runs,
    rule,
    origin,
  }: {
    readonly asked: AskedBatch
    readonly runs: readonly BatchRun[]
    readonly rule: NonNullable<ReturnType<typeof commonRule>>
    readonly origin: BatchState | undefined
  }): Promise<BatchState> {
    const { reviews, tickets } = this.#services
    const { id, request, connections, parallel, threshold } = asked
    const first = { ...request, connection: requireFirst(connections) }
    const ticket = await tickets.open(first, request.jiraFields ?? {})
    const shown = { id, parallel, threshold, waves: wavesOf(runs) }
    const batchConnections = connections.map(({ name }) => name)
    let state: BatchState = { batch: newBatch(asked), runs }
    try {
      await reviews.ask({ ...first, sid: ticket?.sid }, rule, {
        batch: {
          shown,
          stored: { batchConnections, jiraFields: request.jiraFields },
          insert: (tables, { id: review, sessionId: session, whenApproved }) => {
            const asked = { id: review, session, ...(whenApproved === true && { whenApproved }) }
            state = { ...state, batch: { ...state.batch, review: asked } }
            insert(tables, state, origin)
          },
        },
      })
    } catch (error) {
      if (ticket !== undefined) tickets.unused(ticket, error as Error)
      throw error
    }
    return state
  }

  #withdraw({ batch, runs }: BatchState, stop: BatchStop, by: string): void {
    const { history, reviews } = this.#services
    if (batch.review !== undefined) reviews.cancel(batch.review.session, stop.message, by)
    const stopped = { ...batch, status: 'stopped', stop, endedAt: Date.now() } as const
    history.write(({ batches }) => batches.update(stopped, runs))
  }

  #settle(state: BatchState): void {
    const known = this.#running.get(state.batch.id)
    if (known !== undefined) {
      if (known.batch.save() && isOver(known.batch.state.batch)) this.#running.delete(state.batch.id)
      return
    }
    const now = this.#settled(state)
    if (now !== state) this.#services.history.write(({ batches }) => batches.update(now.batch, now.runs))
  }

  #state(id: string): BatchState | undefined {
    const state = this.#services.history.read(({ batches }) => batches.find(id))
    return state && this.#current(state)
  }

  #current(state: BatchState): BatchState {
    return this.#running.get(state.batch.id)?.batch.state ?? this.#settled(state)
  }

  #settled(state: BatchState): BatchState {
    const { history } = this.#services
    return settled(state, {
      session: (id) => history.session(id),
      review: (id) => history.read(({ reviews }) => reviews.find(id)),
    })
  }

  /** @throws RequestRefused */
  #visible(id: string, user: GatewayUser): BatchState {
    const state = this.find(id, user)
    if (state === undefined) throw notFound()
    return state
  }

  #isConcerned(user: GatewayUser, { batch: { owner, review }, runs }: BatchState): boolean {
    const { users, reviews } = this.#services
    if (user.name === owner || users.seesAll(user)) return true
    const isOpened = runs.every(({ connection }) => users.reads(user, { user: owner, connection }))
    if (isOpened && runs.length > 0) return true
    return review !== undefined && reviews.visible(user, review.id) !== undefined
  }

  #checkRoom(user: GatewayUser): void {
    if (this.#closing) throw gatewayDraining()
    const active = this.#services.history.read(({ batches }) => batches.activeOf(user.name))
    if (active >= MAX_ACTIVE_OF_ONE_USER) throw refused('too-much-at-once/batches', { count: active })
  }

  /**
   * Checks the connections again, because they may have changed in the days since the approval.
   * @throws RequestRefused
   */
  #checkConnections({ owner }: Batch, runs: readonly BatchRun[]): void {
    const { users } = this.#services
    const user = users.named(owner)
    const refusals = runs.flatMap(({ connection: name }): ConnectionRefusal[] => {
      const connection = user && users.connection(user, name)
      if (connection === undefined)
        return [
          {
            connection: name,
            code: 'connection-not-found',
            message: `${owner} has no access to the connection now`,
          },
        ]
      return connectionRefusal(name, () => checkUse(connection, {}))
    })
    if (refusals.length > 0) throw batchRefused(refusals, runs.length)
  }
}

/** Writes the new batch, and in the ended one that it is retried. */
function insert({ batches }: Tables, state: BatchState, origin: BatchState | undefined): void {
  batches.insert(state)
  if (origin !== undefined) batches.update({ ...origin.batch, retriedBy: state.batch.id }, origin.runs)
}

/** @throws RequestRefused */
function checkRetry({ batch: { id, status, retriedBy, brought } }: BatchState, isUnsaved: boolean): void {
  if (retriedBy !== undefined)
    throw refused('batch-retried', { id, retriedBy }, { retry: { retried_by: retriedBy } })
  if (status === 'waiting' || status === 'running')
    throw refused('batch-wrong-state/before-end', { id, status })
  if (isUnsaved) throw refused('batch-wrong-state/unsaved', { id })
  if (brought === undefined) throw refused('batch-wrong-state/old', { id })
}

function requireFirst<Value>([first]: readonly Value[]): Value {
  if (first === undefined) throw new Error('unreachable: a batch has at least one connection')
  return first
}

function notFound(): RequestRefused {
  return refused('batch-not-found')
}
