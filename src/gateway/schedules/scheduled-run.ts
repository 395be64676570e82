import type { Logger } from '../../basics/logger.ts'
import type { RunbookBody } from '../../contract/executions.ts'
import { checkAlone } from '../executions/pairs.ts'
import { checkReason } from '../executions/reason.ts'
import { executeOrAsk, type ReviewedExecutionServices } from '../executions/reviewed-execution.ts'
import type { RunbookServices } from '../executions/runbook-access.ts'
import { readRunbook, type RunbookExecution } from '../executions/runbook-execution.ts'
import type { History } from '../history/history.ts'
import type { Users } from '../people/identities/users.ts'
import { refused } from '../refusals/request-refused.ts'
import type { ApprovedRuns } from '../reviews/approved-runs.ts'
import { type ScheduleSettings, DUE_LABEL, SCHEDULE_LABEL } from '../settings/schedules.ts'
import { NO_WAIT, type ScriptExecution } from '../sessions/executions.ts'
import type { CurrentSettings } from '../settings/settings.ts'
import { refusedCode } from '../store/errors.ts'
import { Schedules, type StartedRun } from './schedules.ts'

interface ScheduledServices extends ReviewedExecutionServices, RunbookServices {
  readonly users: Users
  readonly runs: ApprovedRuns
}

interface OpeningServices extends ScheduledServices {
  readonly settings: CurrentSettings
  readonly history: History
  readonly log: Logger
}

/**
 * Opens the schedules. A scheduled run begins as if the schedule's user had requested the run over REST.
 * Close the schedules before the sessions.
 */
export function openSchedules(services: OpeningServices): {
  readonly schedules: Schedules
  readonly scheduleProblems: ScheduleProblems
} {
  const { history, settings, log } = services
  const schedules = new Schedules({
    history,
    settings,
    log,
    start: (schedule, run) => startScheduled(services, schedule, run),
    runApproved: (schedule, sid) => runApprovedSchedule(services, schedule, sid),
  })
  const scheduleProblems = new ScheduleProblems((schedule) => scheduleProblem(services, schedule))
  return { schedules, scheduleProblems }
}

/**
 * The run has the rights, reviews and issues of the schedule's user.
 * @returns the session's id
 * @throws RequestRefused
 */
async function startScheduled(
  services: ScheduledServices,
  schedule: ScheduleSettings,
  { id, dueAt }: StartedRun,
): Promise<string> {
  const asked = scheduledExecution(services, schedule, id)
  const { labels, ...execution } = await scheduledRunbook(services, asked)
  const due = dueAt === null ? {} : { [DUE_LABEL]: new Date(dueAt).toISOString() }
  const labelled = { ...execution, labels: { ...labels, [SCHEDULE_LABEL]: schedule.name, ...due } }
  const { user, body } = asked
  const answer = await executeOrAsk(services, { user, execution: labelled, file: body.file_name }, NO_WAIT)
  return answer.body.session_id
}

/** @returns the reason why the schedule could not run now */
async function scheduleProblem(
  services: ScheduledServices,
  schedule: ScheduleSettings,
): Promise<string | undefined> {
  try {
    const execution = await scheduledRunbook(services, scheduledExecution(services, schedule, ''))
    checkReason(execution, schedule.runbook)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

/** @throws RequestRefused */
async function scheduledRunbook(
  services: ScheduledServices,
  asked: RunbookExecution,
): Promise<ScriptExecution> {
  const { execution, first } = await readRunbook(services, asked)
  checkAlone(asked.body.file_name, first, 'a schedule')
  return execution
}

/** @returns the reason why the approved session cannot run now */
async function runApprovedSchedule(
  { users, runs, executions }: ScheduledServices,
  { as }: ScheduleSettings,
  sid: string,
): Promise<string | undefined> {
  const user = users.named(as)
  if (user?.isActive !== true) return refused('not-permitted/user-gone', { user: as }).message
  try {
    const asking = runs.choicesCheck(sid, user, true)
    if (asking !== undefined) await asking
    const { session, request } = runs.start(sid, user)
    void executions.run(session, request, NO_WAIT)
    return undefined
  } catch (error) {
    if (refusedCode(error as Error) === undefined) throw error
    return (error as Error).message
  }
}

function scheduledExecution(
  { users }: ScheduledServices,
  { as, connection: name, runbook, parameters, jiraFields, reason }: ScheduleSettings,
  correlationId: string,
): RunbookExecution {
  const user = users.named(as)
  if (user?.isActive !== true) throw refused('not-permitted/user-gone', { user: as })
  const connection = users.visibleConnection(user, name)
  const body: RunbookBody = {
    file_name: runbook,
    ref_hash: '',
    parameters,
    env_vars: {},
    client_args: [],
    metadata: {},
    jira_fields: jiraFields,
    reason,
    session_batch_id: undefined,
    correlation_id: correlationId,
    // Not set, because `UnfinishedRuns` runs the approved sessions of schedules.
    when_approved: false,
  }
  return { user, connection, repository: connection.runbooks?.repository, body }
}

/** The result of a check is used again for this time. */
const FRESH_MS = 60_000

/** @returns the reason why the schedule could not run */
type Check = (schedule: ScheduleSettings) => Promise<string | undefined>

/** Finds the reasons why schedules could not run, as far as they are known before the run. */
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

  async tell(schedules: readonly ScheduleSettings[], log: Logger): Promise<void> {
    for (const schedule of schedules) {
      const reason = await this.of(schedule)
      if (reason !== undefined)
        log.warn({ schedule: schedule.name, reason }, 'schedule: cannot run with the current settings')
    }
  }
}
