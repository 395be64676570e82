import type { RestClient } from '../../faults/rest-client.ts'
import type { StoredIssue } from '../../support/scripted/jira.ts'
import { isReviewed, outputOf, runsOf, type Job } from './job.ts'

/** As the gateway shows it. */
interface Shown {
  readonly id: string
  readonly status: string
  readonly exit_code: number | null
  readonly review: { readonly status: string } | null
  readonly integrations_metadata: { readonly jira_issue_key: string } | null
  readonly event_stream: readonly string[]
}

/** The code of a session without one. */
const NONE = -2
const RECORDED_NONE = 254

/** In the field that a mapping fills with the session's id. */
export const SID_FIELD = 'customfield_1'

/**
 * What must hold of a job when nothing runs, behind a restart.
 * @returns what does not hold, and the state of its review if it waits
 */
export async function checkJob(
  rest: RestClient,
  job: Job,
): Promise<{ readonly problems: readonly string[]; readonly waits?: string }> {
  const { body } = await rest.ask('GET', `/api/sessions?correlation_id=${job.name}`)
  const { data } = body as { readonly data: readonly { readonly id: string }[] }
  const [found, second] = data
  const problems = [...problemsOfRuns(job), ...(second === undefined ? [] : ['has two sessions'])]
  if (found === undefined) return { problems: [...problems, ...problemsWithoutSession(job)] }
  const session = await shownSession(rest, found.id)
  problems.push(...problemsOfSession(job, session))
  job.sid ??= found.id
  if (session.status === 'done') job.isOver = true
  const waits = session.status === 'done' ? undefined : session.review?.status
  return { problems, ...(waits !== undefined && { waits }) }
}

/** Each issue that Jira has is with a session, or a session says that there may be one. */
export async function problemsOfIssue(rest: RestClient, { key, fields }: StoredIssue): Promise<string[]> {
  const sid = String(fields[SID_FIELD])
  const { status } = await rest.ask('GET', `/api/sessions/${sid}`)
  if (status !== 200) return [`issue ${key}: its session ${sid} is not there`]
  const { integrations_metadata: kept, event_stream: output } = await shownSession(rest, sid)
  if (kept?.jira_issue_key === key) return []
  return kept === null && output.join('').includes('Jira may have created an issue in OPS')
    ? []
    : [`issue ${key}: not with its session`]
}

async function shownSession(rest: RestClient, sid: string): Promise<Shown> {
  const { body } = await rest.ask('GET', `/api/sessions/${sid}?expand=event_stream&event_stream=utf8`)
  return body as Shown
}

function problemsOfRuns(job: Job): string[] {
  const runs = runsOf(job)
  if (runs > 1) return [`has run ${runs} times`]
  return runs === 0 && job.end?.exitCode === job.code ? ['has an end and has not run'] : []
}

function problemsWithoutSession({ sid, issue, end, isApproved }: Job): string[] {
  const told = [sid, issue, end && 'its end', isApproved && 'its approval'].filter((one) => one !== undefined)
  return told.length === 0 ? [] : [`has no session, but its client was told ${told.join(', ')}`]
}

function problemsOfSession(job: Job, session: Shown): string[] {
  const { status, exit_code: code, review, integrations_metadata: kept } = session
  const waits = status !== 'done'
  const isDecided = review?.status !== 'PENDING'
  const problems: readonly (readonly [boolean, string])[] = [
    [job.sid !== undefined && job.sid !== session.id, `is ${session.id}, and was ${job.sid ?? ''}`],
    [waits && !isWaiting(job, session), `stays open: ${status}, review ${review?.status ?? 'none'}`],
    [waits && runsOf(job) > 0, 'has run, and waits for its run'],
    [waits && job.end !== undefined, 'has lost its end'],
    [!waits && code === null, 'is done without a code'],
    [!waits && code === job.code && runsOf(job) !== 1, 'has its code, and has not run'],
    [job.isApproved === true && !isDecided, 'has lost its approval'],
    [
      job.isApproved === true && job.isRunAsked === undefined && review?.status !== 'APPROVED',
      `was approved, and is ${review?.status ?? ''}`,
    ],
    [job.issue !== undefined && kept?.jira_issue_key !== job.issue, `has lost its issue ${job.issue ?? ''}`],
    ...problemsOfEnd(job, session),
  ]
  return problems.filter(([holds]) => holds).map(([, text]) => text)
}

function isWaiting(job: Job, { review }: Shown): boolean {
  return isReviewed(job) && (review?.status === 'PENDING' || review?.status === 'APPROVED')
}

function problemsOfEnd(
  job: Job,
  { exit_code: code, event_stream: events }: Shown,
): (readonly [boolean, string])[] {
  if (job.end === undefined) return []
  const { exitCode, output } = job.end
  const expected = exitCode === NONE ? RECORDED_NONE : exitCode
  const shown = events.join('')
  return [
    [code !== expected, `has ended with ${exitCode}, and is shown with ${String(code)}`],
    [exitCode === job.code && output !== outputOf(job), `was answered with the output ${output}`],
    [exitCode === job.code && shown !== outputOf(job), `is shown with the output ${shown}`],
  ]
}
