import { DUE_LABEL, SCHEDULE_LABEL } from '../../../settings/schedule-labels.ts'
import { ScheduledRunRefused, type StartedRun } from '../../../schedules/schedules.ts'
import type { ScheduleSettings } from '../../../settings/schedules.ts'
import { visibleConnection } from '../../access.ts'
import { readExecBody, runbookBody } from '../../body/body.ts'
import { HttpError } from '../../http/http-error.ts'
import { requestRefusal } from '../../http/refusal.ts'
import { executeOrAsk } from '../../reviews/reviewed-execution.ts'
import { runbookExecution, type RunbookExecution } from '../../runbooks/runbooks.ts'
import type { RestServices } from '../../services.ts'

export type ScheduledServices = Pick<
  RestServices,
  'users' | 'repositories' | 'executions' | 'reviews' | 'runs' | 'tickets' | 'webUrl'
>

/** Begins a run as its user would: his rights, reviews and issues. @returns the session's id @throws ScheduledRunRefused */
export async function startScheduled(
  services: ScheduledServices,
  schedule: ScheduleSettings,
  { id, dueAt }: StartedRun,
): Promise<string> {
  return refusing(async () => {
    const asked = scheduledExecution(services, schedule, id)
    const { labels, ...execution } = await runbookExecution(services, asked)
    const due = dueAt === null ? {} : { [DUE_LABEL]: new Date(dueAt).toISOString() }
    const labelled = { ...execution, labels: { ...labels, [SCHEDULE_LABEL]: schedule.name, ...due } }
    const { user, body } = asked
    const answer = await executeOrAsk(services, { user, execution: labelled, file: body.file_name }, 0)
    return answer.body.session_id
  })
}

/** @returns why it could not begin now; undefined when it could */
export async function scheduleProblem(
  services: ScheduledServices,
  schedule: ScheduleSettings,
): Promise<string | undefined> {
  try {
    await refusing(async () => runbookExecution(services, scheduledExecution(services, schedule, '')))
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

/** Runs a session of a schedule that was approved. @returns why it cannot run now; undefined when it runs */
export function runApprovedSchedule(
  { users, runs, executions }: ScheduledServices,
  { as }: ScheduleSettings,
  sid: string,
): string | undefined {
  const user = users.named(as)
  if (user?.isActive !== true) return missingUser(as)
  try {
    const { session, request } = runs.start(sid, user)
    void executions.run(session, request, 0)
    return undefined
  } catch (error) {
    const refused = requestRefusal(error as Error)
    if (refused === undefined) throw error
    return refused.message
  }
}

function scheduledExecution(
  { users }: ScheduledServices,
  { as, connection: name, runbook, parameters, jiraFields }: ScheduleSettings,
  correlationId: string,
): RunbookExecution {
  const user = users.named(as)
  if (user?.isActive !== true) throw new HttpError('not-permitted', missingUser(as))
  const connection = visibleConnection(users, user, name)
  const fields = { parameters, jira_fields: jiraFields, correlation_id: correlationId }
  const body = readExecBody(runbookBody, { file_name: runbook, ...fields })
  return { user, connection, repository: connection.runbooks?.repository, body }
}

function missingUser(name: string): string {
  return `there is no user ${name}, or he was deactivated`
}

async function refusing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const refused = requestRefusal(error as Error)
    throw refused === undefined
      ? error
      : new ScheduledRunRefused(refused.code, refused.message, { cause: error })
  }
}
