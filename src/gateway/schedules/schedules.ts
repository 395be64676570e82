import { randomUUID } from 'node:crypto'
import pLimit from 'p-limit'
import type { Logger } from '../../basics/logger.ts'
import type { History } from '../history/history.ts'
import type { SessionSummary } from '../history/session.ts'
import { refused } from '../refusals/request-refused.ts'
import { gatewayDraining } from '../sessions/sessions.ts'
import type { ScheduleSettings } from '../settings/schedules.ts'
import type { Current } from '../settings/settings.ts'
import { HistoryError, refusedCode } from '../store/errors.ts'
import { dueNow, isSetBack, type Due } from './due.ts'
import type { ScheduleRun, ScheduleState } from './schedule-rows.ts'
import { ScheduleStates } from './schedule-states.ts'

const TICK_MS = 1000
/** Most runs that begin at the same time. Each run reads a repository, and may send requests to Jira. */
const AT_ONCE = 8

export interface StartedRun {
  /** Also the correlation id of the run's session. */
  readonly id: string
  readonly dueAt: number | null
}

interface ScheduleServices {
  readonly history: History
  readonly settings: Current<'schedules'>
  /** Returns the session's id. @throws RequestRefused, HistoryError */
  readonly start: (schedule: ScheduleSettings, run: StartedRun) => Promise<string>
  /** Runs an approved session. @returns the reason why the session cannot run now */
  readonly runApproved: (schedule: ScheduleSettings, sid: string) => Promise<string | undefined>
  readonly log: Logger
  /** In ms since 1970. */
  readonly now?: () => number
}

/**
 * Begins the runs of schedules. A schedule has one run at a time. A due time is never claimed twice, even
 * after a kill.
 */
export class Schedules {
  readonly #services: ScheduleServices
  readonly #now: () => number
  readonly #timer: NodeJS.Timeout
  readonly #turns = pLimit(AT_ONCE)
  readonly #states: ScheduleStates
  readonly #unfinished: UnfinishedRuns
  #isTold = false
  #isClosed = false

  constructor(services: ScheduleServices) {
    const { history, log, now = Date.now } = services
    this.#services = services
    this.#now = now
    this.#states = new ScheduleStates(history, now)
    const runApproved = (name: string, sid: string) => this.#runApproved(name, sid)
    const trying = (work: () => void) => this.#trying(work)
    this.#unfinished = new UnfinishedRuns({ history, log, runApproved, trying })
    this.#timer = setInterval(() => this.tick(), TICK_MS)
  }

  get all(): readonly ScheduleSettings[] {
    return this.#services.settings.value.schedules
  }

  /** Begins due runs, and continues approved runs. */
  tick(): void {
    this.#trying(() => {
      this.#states.sync(this.all)
      this.#unfinished.follow()
      for (const schedule of this.all) this.#look(schedule)
    })
  }

  /** Returns undefined if no run is planned. */
  next(schedule: ScheduleSettings): number | undefined {
    return this.#states.next(schedule)
  }

  state(name: string): ScheduleState | undefined {
    return this.#states.get(name)
  }

  /** Lists the newest runs first. @throws HistoryError */
  runs(name: string, limit: number): readonly ScheduleRun[] {
    return this.#services.history.read(({ schedules }) => schedules.runs(name, limit))
  }

  /** Begins a run. Returns the run, which has begun or failed. @throws RequestRefused, HistoryError */
  async runNow(schedule: ScheduleSettings, by: string): Promise<ScheduleRun> {
    if (this.#isClosed) throw gatewayDraining()
    const { name } = schedule
    const { history } = this.#services
    const obstacle = this.#unfinished.obstacle(name)
    if (obstacle !== undefined) throw refused('schedule-busy', { name, obstacle })
    const run = this.#newRun(schedule, null, by)
    await this.#begin(schedule, run, () =>
      history.patiently(() => history.write(({ schedules }) => schedules.claim(run))),
    )
    return history.read(({ schedules }) => schedules.run(run.id)) ?? run
  }

  /**
   * Due times during the pause are skipped.
   * @param by user who pauses the schedule; null to resume it
   * @throws HistoryError
   */
  pause({ name }: ScheduleSettings, by: string | null): void {
    this.#states.sync(this.all)
    this.#states.pause(name, by)
  }

  /**
   * Begins no more runs. A run that is about to begin fails. If this gateway cannot write the failure to the
   * history, the next gateway writes it at its start.
   */
  close(): void {
    this.#isClosed = true
    clearInterval(this.#timer)
  }

  #look(schedule: ScheduleSettings): void {
    const state = this.#states.get(schedule.name)
    const next = this.#states.next(schedule)
    const now = this.#now()
    if (this.#isClosed || state === undefined || next === undefined) return
    if (now < next && !isSetBack(state.doneUntil, now)) return
    const due = dueNow(schedule, state.doneUntil, now)
    if (due !== undefined) this.#take(schedule, state, due)
  }

  /** Records the due time as handled before its run begins. */
  #take(schedule: ScheduleSettings, state: ScheduleState, { run: dueAt, missed, doneUntil }: Due): void {
    const { history, log } = this.#services
    const { name } = schedule
    const obstacle = dueAt === undefined ? undefined : this.#unfinished.obstacle(name)
    const run = dueAt === undefined ? undefined : this.#newRun(schedule, dueAt, null, obstacle)
    // The run for the missed times claims no due time. The clock may be wrong now, and the times may be due
    // later.
    const left = missed && this.#newRun(schedule, null, null, missedText(missed, dueAt))
    const after = { ...state, doneUntil }
    const isMine = history.write(({ schedules }) => {
      schedules.setState(after)
      if (left !== undefined) schedules.claim(left)
      return run !== undefined && schedules.claim(run)
    })
    this.#states.set(after)
    if (left !== undefined) log.warn({ schedule: name, reason: left.reason }, 'schedule: run skipped')
    if (run === undefined || !isMine) return
    if (obstacle === undefined) void this.#begin(schedule, run)
    else log.warn({ schedule: name, reason: obstacle }, 'schedule: skipped')
  }

  /** @param claim of a run that is not claimed yet. It may wait, so no other run begins in the meantime. */
  async #begin(schedule: ScheduleSettings, run: ScheduleRun, claim?: () => Promise<unknown>): Promise<void> {
    const { starting } = this.#unfinished
    starting.add(schedule.name)
    try {
      await claim?.()
      await this.#turns(() => this.#start(schedule, run))
    } finally {
      starting.delete(schedule.name)
    }
  }

  async #start(schedule: ScheduleSettings, { id, dueAt }: ScheduleRun): Promise<void> {
    const { start, history, log } = this.#services
    const { name } = schedule
    try {
      if (this.#isClosed) throw refused('gateway-stopped/schedule')
      const sid = await start(schedule, { id, dueAt })
      log.info({ schedule: name, sid }, 'schedule: begun')
      this.#trying(() => history.write(({ schedules }) => schedules.started(id, sid)))
    } catch (error) {
      const { message: reason } = error as Error
      const code = refusedCode(error as Error) ?? 'internal-error'
      log.error({ schedule: name, code, reason }, 'schedule: not run')
      this.#trying(() => history.write(({ schedules }) => schedules.failed(id, code, reason)))
    }
  }

  async #runApproved(name: string, sid: string): Promise<string | undefined> {
    const schedule = this.all.find((one) => one.name === name)
    return schedule === undefined || this.#isClosed ? undefined : this.#services.runApproved(schedule, sid)
  }

  /** @param reason for skipping the run */
  #newRun({ name }: ScheduleSettings, dueAt: number | null, by: string | null, reason?: string): ScheduleRun {
    return {
      id: randomUUID(),
      schedule: name,
      dueAt,
      at: this.#now(),
      by,
      code: null,
      outcome: reason === undefined ? 'starting' : 'skipped',
      reason: reason ?? null,
      session: null,
      exitCode: null,
    }
  }

  /** After a failed write the run is still due. Repeated failures are logged once. */
  #trying(work: () => void): void {
    try {
      work()
      this.#isTold = false
    } catch (error) {
      if (!(error instanceof HistoryError)) throw error
      const reason = { error: error.message }
      if (!this.#isTold)
        this.#services.log.error(reason, 'cannot write the history; schedules wait until a retry succeeds')
      this.#isTold = true
    }
  }
}

function missedText({ from, until }: NonNullable<Due['missed']>, runs: number | undefined): string {
  const since = new Date(from).toISOString()
  const span =
    from === until
      ? `missed the due time ${since}`
      : `missed the due times from ${since} to ${new Date(until).toISOString()}`
  const kept = runs === undefined ? '' : '; only the last due time runs'
  return `${span}: the gateway was down, or its clock jumped${kept}`
}

interface FollowServices {
  readonly history: History
  /** Runs an approved session. @returns why the session cannot run now, or undefined */
  readonly runApproved: (schedule: string, sid: string) => Promise<string | undefined>
  /** Does work that may throw a HistoryError, which it logs. */
  readonly trying: (work: () => void) => void
  readonly log: Logger
}

/**
 * Claimed runs that have not ended. Their sessions show whether they have ended. All calls may throw a
 * HistoryError.
 */
class UnfinishedRuns {
  readonly #services: FollowServices
  /** Schedules with a run in this process that is about to get its session. */
  readonly starting = new Set<string>()
  /** Approved sessions that are about to run, whose lists of choices may be asked first. */
  readonly #approved = new Set<string>()

  constructor(services: FollowServices) {
    this.#services = services
  }

  /** Returns the reason why no other run of this schedule may begin now. */
  obstacle(name: string): string | undefined {
    if (this.starting.has(name)) return 'another run is about to start'
    const { history } = this.#services
    for (const { schedule, session: sid } of this.#all()) {
      const session = schedule === name && sid !== null ? history.session(sid) : undefined
      if (session === undefined || session.status === 'done') continue
      return `session ${session.id} ${waitsForPeople(session) ? 'waits for approval' : 'still runs'}`
    }
    return undefined
  }

  /** Records the ends of runs, and continues approved runs. */
  follow(): void {
    for (const run of this.#all()) {
      if (run.session !== null) this.#followSession(run, run.session)
      else if (!this.starting.has(run.schedule)) this.#repair(run)
    }
  }

  #all(): readonly ScheduleRun[] {
    return this.#services.history.read(({ schedules }) => schedules.unfinished())
  }

  #followSession(run: ScheduleRun, sid: string): void {
    const { history } = this.#services
    const session = history.session(sid)
    if (session?.status === 'ready') return void this.#runApproved(run, sid)
    if (session !== undefined && session.status !== 'done') return
    history.write(({ schedules }) => schedules.ended(run.id, session?.exitCode ?? null))
  }

  async #runApproved({ id, schedule, reason: before }: ScheduleRun, sid: string): Promise<void> {
    const { runApproved, history, log, trying } = this.#services
    if (this.#approved.has(sid)) return
    this.#approved.add(sid)
    try {
      const reason = await runApproved(schedule, sid)
      if (reason === undefined || reason === before) return
      log.warn({ schedule, sid, reason }, 'schedule: session approved, but not run yet')
      trying(() => history.write(({ schedules }) => schedules.note(id, reason)))
    } catch (error) {
      log.error({ schedule, sid, error: (error as Error).message }, 'schedule: approved session failed')
    } finally {
      this.#approved.delete(sid)
    }
  }

  /** Repairs a run that was about to begin when a gateway stopped or could not write to the history. */
  #repair({ id }: ScheduleRun): void {
    const { history } = this.#services
    const query = { correlationId: id, limit: 1, offset: 0, count: 'none' } as const
    const [session] = history.list(query).sessions
    history.write(({ schedules }) => {
      if (session !== undefined) schedules.started(id, session.id)
      else schedules.failed(id, 'gateway-stopped', NOT_BEGUN)
    })
  }
}

const NOT_BEGUN = 'the gateway stopped before the session began, so nothing has run'

function waitsForPeople({ status, review }: SessionSummary): boolean {
  return status === 'ready' || review?.status === 'PENDING'
}
