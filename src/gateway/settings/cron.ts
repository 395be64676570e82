import { Cron } from 'croner'

/** When something is due. */
export interface CronRule {
  /** Five fields, or a word like `@daily`. */
  readonly cron: string
  /** IANA's name of a place. */
  readonly timezone: string
}

/** The 29th of February can be eight years away (1896 to 1904, 2096 to 2104), and nothing else is. */
const SPAN_MS = 9 * 366 * 24 * 60 * 60 * 1000

const FIRST_STEP_MS = 5 * 60_000

/** Whether it is a rule by which something becomes due. */
export function isCron(cron: string): boolean {
  try {
    return nextTime({ cron, timezone: 'UTC' }, Date.now()) !== undefined
  } catch {
    return false
  }
}

export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return /^[A-Za-z]/.test(name)
  } catch {
    return false
  }
}

/** The first due time behind another, in ms since 1970; undefined when there is none. */
export function nextTime({ cron, timezone }: CronRule, after: number): number | undefined {
  const rule = new Cron(cron, { timezone, mode: '5-part', paused: true })
  return rule.nextRun(new Date(after))?.getTime()
}

/** The last due time that is not behind `until`; undefined when there is none behind `after`. */
export function lastTime(rule: CronRule, after: number, until: number): number | undefined {
  const cron = new Cron(rule.cron, { timezone: rule.timezone, mode: '5-part', paused: true })
  const next = (from: number) => cron.nextRun(new Date(from))?.getTime() ?? Infinity
  // Backwards in steps that grow: a clock may jump by years, and a rule be due each minute.
  for (let step = FIRST_STEP_MS; ; step *= 4) {
    const from = Math.max(after, until - step)
    let last: number | undefined
    for (let time = next(from); time <= until; time = next(time)) last = time
    if (last !== undefined) return last
    if (from === after || step > SPAN_MS) return undefined
  }
}
