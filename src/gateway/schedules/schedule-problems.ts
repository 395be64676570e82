import type { Logger } from '../../basics/logger.ts'
import type { ScheduleSettings } from '../settings/schedules.ts'

/** How long what was found out about a schedule counts. */
const FRESH_MS = 60_000

/** @returns why it could not run; undefined when it could */
type Check = (schedule: ScheduleSettings) => Promise<string | undefined>

/** Why schedules could not run, as far as that can be said before they do. */
export class ScheduleProblems {
  readonly #check: Check
  readonly #known = new WeakMap<
    ScheduleSettings,
    { readonly at: number; readonly problem: Promise<string | undefined> }
  >()

  constructor(check: Check) {
    this.#check = check
  }

  of(schedule: ScheduleSettings): Promise<string | undefined> {
    const known = this.#known.get(schedule)
    if (known !== undefined && performance.now() - known.at < FRESH_MS) return known.problem
    const problem = this.#check(schedule)
    this.#known.set(schedule, { at: performance.now(), problem })
    return problem
  }

  /** Says in the log which schedules could not run. */
  async tell(schedules: readonly ScheduleSettings[], log: Logger): Promise<void> {
    for (const schedule of schedules) {
      const reason = await this.of(schedule)
      if (reason !== undefined)
        log.warn({ schedule: schedule.name, reason }, 'schedule: it could not run as it is now')
    }
  }
}
