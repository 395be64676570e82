import type { Logger } from '../../basics/logger.ts'
import type { History } from '../history/history.ts'
import type { SessionSummary } from '../history/session.ts'
import type { ScheduleRun } from './schedule-rows.ts'

interface FollowServices {
  readonly history: History
  /** Runs a session that was approved. @returns why it cannot run now; undefined when it runs */
  readonly runApproved: (schedule: string, sid: string) => string | undefined
  readonly log: Logger
}

/** What becomes of runs once they are claimed. Their sessions know; this asks. All calls throw a HistoryError. */
export class UnfinishedRuns {
  readonly #services: FollowServices
  /** Names of the schedules of which a run is about to get its session, in this process. */
  readonly starting = new Set<string>()

  constructor(services: FollowServices) {
    this.#services = services
  }

  /** Why no other run of this schedule begins now. */
  obstacle(name: string): string | undefined {
    if (this.starting.has(name)) return 'one is about to begin'
    const { history } = this.#services
    for (const { schedule, session: sid } of this.#all()) {
      const session = schedule === name && sid !== null ? history.session(sid) : undefined
      if (session === undefined || session.status === 'done') continue
      return `session ${session.id} ${waitsForPeople(session) ? 'waits for approval' : 'still runs'}`
    }
    return undefined
  }

  /** Writes down what has ended, and runs what was approved. */
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
    if (session?.status === 'ready') return this.#runApproved(run, sid)
    if (session !== undefined && session.status !== 'done') return
    history.write(({ schedules }) => schedules.ended(run.id, session?.exitCode ?? null))
  }

  #runApproved({ id, schedule, reason: before }: ScheduleRun, sid: string): void {
    const { runApproved, history, log } = this.#services
    const reason = runApproved(schedule, sid)
    if (reason === undefined || reason === before) return
    log.warn({ schedule, sid, reason }, 'schedule: approved, and not run yet')
    history.write(({ schedules }) => schedules.note(id, reason))
  }

  /** A gateway has stopped, or could not write, while it began. */
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

const NOT_BEGUN = 'the gateway stopped before its session began: nothing has run'

function waitsForPeople({ status, review }: SessionSummary): boolean {
  return status === 'ready' || review?.status === 'PENDING'
}
