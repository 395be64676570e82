import { Cron as Rule } from 'croner'
import * as v from 'valibot'
import {
  about,
  choice,
  entries,
  entryName,
  list,
  map,
  matching,
  parsed,
  truth,
} from '../../basics/settings/shapes.ts'
import { Name } from './words.ts'

const Cron = parsed(
  (text) => (isCron(text) ? text : undefined),
  'five fields of cron (minute hour day month weekday) or @hourly, @daily, @weekly, @monthly, @yearly,',
)
const TimeZone = parsed(
  (text) => (isTimeZone(text) ? text : undefined),
  'the name of a time zone, like UTC or Europe/Berlin,',
)
const FieldName = entryName(/^[^\p{Cc}]{1,200}$/u, 'a name of 1 to 200 characters')
const Value = matching(/^[^\0]*$/, `a text ('' for an empty one) without NUL characters`)

/** Most schedules. Each is checked every second. */
const MOST = 500

export const ScheduleShape = map({
  name: about('name of the schedule', Name),
  cron: about('times at which the schedule is due', Cron),
  timezone: about('time zone of these times', v.nullish(TimeZone, 'UTC')),
  connection: about('name of the connection', Name),
  runbook: about(
    'path of the runbook in its repository',
    matching(/^(?!\/)[^\p{Cc}\\]{1,1000}$/u, 'a path inside the repository, without a leading slash,'),
  ),
  parameters: about('parameters of the runbook, name to value', entries(FieldName, Value)),
  'jira-fields': about('fields of the Jira issues of its runs, name to value', entries(FieldName, Value)),
  as: about('name of the user to whom its runs belong', Name),
  'catch-up': about(
    'runs that were due while the gateway was down: none skips them, once runs the last of them late',
    v.nullish(choice({ none: 'none', once: 'once' }), 'none'),
  ),
  lock: about(
    'name of a lock that its runs need, in addition to the locks whose rules match',
    v.nullish(Name),
  ),
  enabled: about('whether the schedule runs by itself', v.nullish(truth, 'true')),
})

export const SchedulesShape = v.pipe(
  list(ScheduleShape, 'schedules'),
  v.maxLength(MOST, `at most ${MOST} schedules are expected`),
)

/** A runbook that runs on a schedule. */
export interface ScheduleSettings {
  readonly name: string
  readonly cron: string
  /** IANA's name of a time zone. */
  readonly timezone: string
  readonly connection: string
  readonly runbook: string
  readonly parameters: Readonly<Record<string, string>>
  readonly jiraFields: Readonly<Record<string, string>>
  /** Name of the user as whom it runs. */
  readonly as: string
  /** Whether the last missed due time runs late. */
  readonly catchesUp: boolean
  readonly lock?: string
  readonly enabled: boolean
}

export function buildSchedule({
  lock,
  'catch-up': catchUp,
  'jira-fields': jiraFields,
  ...rest
}: v.InferOutput<typeof ScheduleShape>): ScheduleSettings {
  return { ...rest, jiraFields, catchesUp: catchUp === 'once', ...(lock ? { lock } : {}) }
}

/** A rule of due times. */
export interface CronRule {
  /** Five fields, or a word like `@daily`. */
  readonly cron: string
  /** IANA's name of a time zone. */
  readonly timezone: string
}

/**
 * Span that is searched for the next due time. Only the 29th of February can be eight years away (1896 to
 * 1904, 2096 to 2104).
 */
const SPAN_MS = 9 * 366 * 24 * 60 * 60 * 1000

const FIRST_STEP_MS = 5 * 60_000

/** Whether the text is a rule that has due times. */
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

/** Returns the first due time after `after`, in ms since 1970; undefined when there is none. */
export function nextTime({ cron, timezone }: CronRule, after: number): number | undefined {
  const rule = new Rule(cron, { timezone, mode: '5-part', paused: true })
  return rule.nextRun(new Date(after))?.getTime()
}

/** Returns the first due times after `after`, in ms since 1970. */
export function nextTimes({ cron, timezone }: CronRule, after: number, most: number): number[] {
  const rule = new Rule(cron, { timezone, mode: '5-part', paused: true })
  return rule.nextRuns(most, new Date(after)).map((time) => time.getTime())
}

/** Returns the last due time that is not after `until`; undefined when there is none after `after`. */
export function lastTime(rule: CronRule, after: number, until: number): number | undefined {
  const cron = new Rule(rule.cron, { timezone: rule.timezone, mode: '5-part', paused: true })
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

// Labels of sessions that schedules have begun. Only the gateway can set labels with this beginning.

export const SCHEDULE_LABEL = 'runbookSchedule'
/** The due time; left out where a user has started the run. */
export const DUE_LABEL = 'runbookDueAt'
