import { Cron } from 'croner'

// Due times of a schedule. When the clocks go forward, a skipped time is due directly after the change. When
// they go back, a repeated time is due once, but an hourly rule is due in both hours.

export interface CronRule {
  /** Five fields, or a word like `@daily`. */
  readonly cron: string
  /** IANA's name of a time zone. */
  readonly timezone: string
}

/**
 * Two due times are at most eight years apart: after February 29 of 1896 or 2096, the next February 29 is in
 * 1904 or 2104.
 */
const SPAN_MS = 9 * 366 * 24 * 60 * 60 * 1000

const FIRST_STEP_MS = 5 * 60_000

/** Returns true if the rule is valid and has due times. */
export function isCron(cron: string): boolean {
  try {
    return nextTime({ cron, timezone: 'UTC' }, Date.now()) !== undefined
  } catch {
    return false
  }
}

const FIELDS = ['minute', 'hour', 'day', 'month', 'weekday']

/** Returns what is wrong with a refused rule; an empty text if it has another number of fields. */
export function cronProblem(text: string): string {
  const fields = text.trim().split(/\s+/)
  if (fields.length !== FIELDS.length) return ''
  const wrong = FIELDS.filter(
    (_, at) => !isCron(fields.map((field, i) => (i === at ? field : '*')).join(' ')),
  )
  if (wrong.length === 0) return 'no day of any year matches day and month'
  return `the field ${wrong.join(' and the field ')} cannot be read`
}

export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return /^[A-Za-z]/.test(name)
  } catch {
    return false
  }
}

/** Returns the first due time after `after`, in ms since 1970, and undefined when there is none. */
export function nextTime(rule: CronRule, after: number): number | undefined {
  return parsed(rule).nextRun(new Date(after))?.getTime()
}

/** First due times after `after`, in ms since 1970. */
export function nextTimes(rule: CronRule, after: number, most: number): number[] {
  return parsed(rule)
    .nextRuns(most, new Date(after))
    .map((time) => time.getTime())
}

/** The last due time after `after` and not after `until`; undefined when there is none. */
export function lastTime(rule: CronRule, after: number, until: number): number | undefined {
  const cron = parsed(rule)
  const next = (from: number) => cron.nextRun(new Date(from))?.getTime() ?? Infinity
  // The search goes back in growing steps. A clock may jump by years, and a rule may be due each minute: from
  // `after` on, there would be too many due times.
  for (let step = FIRST_STEP_MS; ; step *= 4) {
    const from = Math.max(after, until - step)
    let last: number | undefined
    for (let time = next(from); time <= until; time = next(time)) last = time
    if (last !== undefined) return last
    if (from === after || step > SPAN_MS) return undefined
  }
}

function parsed({ cron, timezone }: CronRule): Cron {
  return new Cron(cron, { timezone, mode: '5-part', paused: true })
}
