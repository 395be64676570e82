import type { ExecutionAnswer } from '../../contract/executions.ts'
import type { SessionIssue } from '../jira/issue-rows.ts'
import type { Tickets } from '../jira/tickets.ts'
import type { Reviews } from '../reviews/reviews.ts'
import type { CheckedChoices } from './choices/checked-choices.ts'
import { checkReason } from './reason.ts'
import { hoopWords } from '../../wire/gateway-words.ts'
import type { Sessions } from '../sessions/sessions.ts'
import { reviewRule } from '../reviews/rules.ts'
import { Reply } from '../handlers.ts'
import {
  NO_WAIT,
  warned,
  type AnswerWait,
  type ExecAnswer,
  type Executions,
  type ScriptExecution,
} from '../sessions/executions.ts'
import type { GatewayUser } from '../identity.ts'

interface AskedExecution {
  readonly user: GatewayUser
  readonly execution: ScriptExecution
  /** Path of the runbook's file; undefined for a script. */
  readonly file: string | undefined
}

export interface ReviewedExecutionServices {
  readonly executions: Executions
  readonly reviews: Reviews
  readonly tickets: Tickets
  readonly choices: CheckedChoices
  /** Public address of this gateway, for links. */
  readonly webUrl: () => string
}

/**
 * Refuses a request that lacks its reason, or has a value that is not in its list. Opens the Jira issue. Then
 * runs the script, or asks for approval and answers with the address of the review. A request for approval sends nothing to the agent.
 * @throws RequestRefused, and the errors of `Executions.execute`, `Tickets.open` and `Reviews.ask`
 */
export async function executeOrAsk(
  services: ReviewedExecutionServices,
  asked: AskedExecution,
  wait?: AnswerWait,
): Promise<ExecAnswer> {
  const { execution } = asked
  checkReason(execution, asked.file)
  await services.choices.check(execution)
  const ticket = await services.tickets.open({ ...execution, verb: 'exec' }, execution.jiraFields ?? {})
  if (ticket === undefined) return runOrAsk(services, asked, wait)
  try {
    const { sid, issue } = ticket
    return withIssue(await runOrAsk(services, { ...asked, execution: { ...execution, sid } }, wait), issue)
  } catch (error) {
    services.tickets.unused(ticket, error as Error)
    throw error
  }
}

/** Ends a session that runs, or withdraws its request. @param by user who stops it @throws HistoryError */
export function stopSession(
  {
    sessions,
    reviews,
  }: { readonly sessions: Pick<Sessions, 'kill'>; readonly reviews: Pick<Reviews, 'cancel'> },
  id: string,
  by: string,
): void {
  if (!sessions.kill(id, by)) reviews.cancel(id, hoopWords.sessionKilled, by)
}

export function withIssue(
  { status, body }: ExecAnswer,
  { key, url }: Pick<SessionIssue, 'key' | 'url'>,
): ExecAnswer {
  return { status, body: { ...body, jira_issue_key: key, jira_issue_url: url } }
}

async function runOrAsk(
  services: ReviewedExecutionServices,
  { user, execution, file }: AskedExecution,
  wait?: AnswerWait,
): Promise<ExecAnswer> {
  const startedAt = performance.now()
  const request = { ...execution, verb: 'exec' } as const
  const rule = reviewRule(request, user.groups, file)
  if (rule === undefined) return services.executions.execute(execution, wait)
  const { sessionId } = await services.reviews.ask(request, rule)
  const body: ExecutionAnswer = {
    has_review: true,
    session_id: sessionId,
    output: `${services.webUrl()}/sessions/${sessionId}`,
    output_status: 'success',
    truncated: false,
    execution_time: Math.round(performance.now() - startedAt),
    exit_code: 0,
    ai_analysis: null,
    ...(execution.whenApproved === true && { when_approved: true }),
  }
  return { status: 200, body: warned(execution, body) }
}

const RESPOND_ASYNC = 'respond-async'
/**
 * Our own clients send this preference together with `respond-async`. If the run ends within 100 ms, the
 * answer contains its end.
 */
const BRIEF_WAIT = 'brief-wait'
/** A wait of 100 ms. Nobody notices that live output begins this much later. */
const BRIEF: AnswerWait = { ms: 100, isForPlainEnd: true }

/** @param run returns the answer with the end, or the answer 202 if the run takes longer than the wait */
export async function answerInTime(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  run: (wait: AnswerWait | undefined) => Promise<ExecAnswer>,
): Promise<Reply<200, ExecutionAnswer> | Reply<202, ExecutionAnswer>> {
  const isAsync = prefers(headers['prefer'], RESPOND_ASYNC)
  const wait = prefers(headers['prefer'], BRIEF_WAIT) ? BRIEF : NO_WAIT
  const { status, body } = await run(isAsync ? wait : undefined)
  if (status === 200) return new Reply(200, body)
  return new Reply(202, body, isAsync ? { headers: { 'preference-applied': RESPOND_ASYNC } } : {})
}

/** Tells whether the Prefer header contains the wanted preference (RFC 7240). */
function prefers(prefer: string | readonly string[] | undefined, wanted: string): boolean {
  const preferences = [prefer ?? []].flat().join(',').split(',')
  return preferences.some((preference) => preference.split(/[=;]/)[0]?.trim().toLowerCase() === wanted)
}
