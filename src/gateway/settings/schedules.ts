import * as v from 'valibot'
import { textJson } from '../../basics/settings/json-schema.ts'
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
import { cronProblem, isCron, isTimeZone } from './due-times.ts'
import { MAX_REASON_CHARACTERS, REASON, REASON_FORM } from '../../contract/reason.ts'
import { USER_NAME, USER_NAME_FORM } from '../../contract/words.ts'
import { Name } from './words.ts'

const Cron = parsed(
  (text) => (isCron(text) ? text : undefined),
  'five fields of cron (minute hour day month weekday) or @hourly, @daily, @weekly, @monthly, @yearly,',
  textJson(),
  cronProblem,
)
const TimeZone = parsed(
  (text) => (isTimeZone(text) ? text : undefined),
  'the name of a time zone, like UTC or Europe/Berlin,',
)
const Reason = parsed(
  (text) => (text.length <= MAX_REASON_CHARACTERS && REASON.test(text) ? text.trim() : undefined),
  `${REASON_FORM},`,
)
const FieldName = entryName(/^[^\p{Cc}]{1,200}$/u, 'a name of 1 to 200 characters')
const Value = matching(/^[^\0]*$/, `a string ('' for an empty one) without NUL characters`)

/** Maximum number of schedules. The gateway checks each of them every second. */
const MAX_SCHEDULES = 500

export const ScheduleShape = map({
  name: about('name of the schedule', Name),
  cron: about('times at which the schedule is due', Cron),
  timezone: about('time zone of the times in cron', v.nullish(TimeZone, 'UTC')),
  connection: about('name of the connection on which the runbook runs', Name),
  runbook: about(
    'path of the runbook in its repository',
    matching(/^(?!\/)[^\p{Cc}\\]{1,1000}$/u, 'a path inside the repository, without a leading slash,'),
  ),
  parameters: about('parameters of the runbook, a map of name to value', entries(FieldName, Value)),
  'jira-fields': about(
    'fields of the Jira issue of each run, a map of name to value',
    entries(FieldName, Value),
  ),
  reason: about('reason of each run, which approvers see', v.nullish(Reason, '')),
  as: about('name of the user to whom the runs of the schedule belong', matching(USER_NAME, USER_NAME_FORM)),
  'catch-up': about(
    'what happens to runs that were due while the gateway was down: none skips these runs, once starts the last of them late',
    v.nullish(choice({ none: 'none', once: 'once' }), 'none'),
  ),
  lock: about('name of an extra lock for the runs, besides the locks whose rules match', v.nullish(Name)),
  enabled: about('whether the gateway starts the schedule when it is due', v.nullish(truth, 'true')),
})

export const SchedulesShape = v.pipe(
  list(ScheduleShape, 'schedules'),
  v.maxLength(MAX_SCHEDULES, `at most ${MAX_SCHEDULES} schedules are expected`),
)

export interface ScheduleSettings {
  readonly name: string
  readonly cron: string
  /** IANA's name of a time zone. */
  readonly timezone: string
  readonly connection: string
  readonly runbook: string
  readonly parameters: Readonly<Record<string, string>>
  readonly jiraFields: Readonly<Record<string, string>>
  /** Empty if the runs have no reason. */
  readonly reason: string
  /** The user to whom the runs belong. */
  readonly as: string
  /** True if the gateway starts the last missed run later. */
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

interface ScheduleUses {
  readonly schedules: readonly ScheduleSettings[]
  readonly users: readonly { readonly name: string }[]
  readonly connections: readonly { readonly name: string }[]
}

/**
 * Returns a warning for each schedule whose connection or user is not in the settings. The user may still be
 * known to the gateway's state: created while the gateway runs, or by a sign-in.
 * @param settings undefined if the file has problems
 */
export function scheduleWarnings(file: string, settings: ScheduleUses | undefined): string[] {
  const { schedules = [], users = [], connections = [] } = settings ?? {}
  const warnings = schedules.flatMap(({ name, connection, as }) => [
    ...(connections.some((one) => one.name === connection)
      ? []
      : [`schedule ${name}: connection ${connection} does not exist, so the schedule cannot run`]),
    ...(users.some((one) => one.name === as)
      ? []
      : [
          `schedule ${name}: user ${as} is not in users: the schedule runs only if this user was created in the running gateway or has signed in`,
        ]),
  ])
  return warnings.map((warning) => `${file}: ${warning}`)
}

// Labels of sessions that schedules have begun. Only the gateway can set labels with this prefix.

export const SCHEDULE_LABEL = 'runbookSchedule'
/** Label with the due time. A run that a user has started does not have this label. */
export const DUE_LABEL = 'runbookDueAt'
