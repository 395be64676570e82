import type { DecisionBody, ReviewAnswer, reviewContract } from '../../contract/reviews.ts'
import { reasonSetting } from '../executions/reason.ts'
import { answerInTime, withIssue } from '../executions/reviewed-execution.ts'
import type { Asked, Handlers } from '../handlers.ts'
import type { History } from '../history/history.ts'
import { timeOf, type GatewayUser } from '../identity.ts'
import type { Users } from '../people/identities/users.ts'
import { refused } from '../refusals/request-refused.ts'
import type { Executions } from '../sessions/executions.ts'
import { firstRunView } from '../sessions/first-run.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { CurrentSettings, GatewaySettings } from '../settings/settings.ts'
import type { ApprovedRuns } from './approved-runs.ts'
import type { Decision } from './decision.ts'
import { ReviewFacts } from './review-facts.ts'
import { reviewView, type ListedReview, type ReviewVerdict, type TimeWindow } from './review.ts'
import type { Reviews } from './reviews.ts'
import { minutesOf } from './time-window.ts'

interface ReviewRouting {
  readonly reviews: Reviews
  readonly runs: ApprovedRuns
  readonly executions: Executions
  readonly history: History
  readonly sessions: Sessions
  readonly users: Users
  readonly settings: CurrentSettings
}

/** An `id` in a path is the id of a review or of its session. */
export function reviewRoutes(services: ReviewRouting): Handlers<typeof reviewContract> {
  const { reviews, runs, executions, history } = services
  const facts = new ReviewFacts(services)
  const listed = (user: GatewayUser, all: readonly ListedReview[]) => {
    const factsOf = facts.ofList(user)
    return all.map((review) =>
      reviewView(review, {
        can: reviews.possible(user, review),
        ...runsOf(history, review),
        ...factsOf(review),
      }),
    )
  }
  const viewed = (user: GatewayUser, review: ListedReview) => {
    const more = {
      can: reviews.possible(user, review),
      ...runsOf(history, review),
      ...facts.ofList(user)(review),
      ...facts.ofOne(user, review),
      ...reasonNeedOf(services.settings.value, review),
      ...firstRunView(services, history.session(review.sessionId)?.labels ?? {}),
    }
    return reviewView(review, more)
  }
  const decide = ({ user, params, body }: Asked<(typeof reviewContract)['decide']>) =>
    viewed(user, reviews.decide(params.id, user, decisionOf(body)))

  return {
    list: ({ user }) => listed(user, reviews.list(user)),
    show: ({ user, params }) => {
      const review = reviews.visible(user, params.id)
      if (review === undefined) throw refused('review-not-found/resource')
      return viewed(user, review)
    },
    previous: ({ user, params }) => {
      const review = reviews.visible(user, params.id)
      if (review === undefined) throw refused('review-not-found/resource')
      const before = facts.previous(user, review)
      if (before === undefined) return null
      const { id, sessionId: session, owner, connection, claimedAt } = before.review
      return { id, session, owner, connection, ran_at: timeOf(claimedAt), is_last: before.isLast }
    },
    exec: async ({ user, params, headers }) => {
      const { session, request } = await runs.startSoon(params.id, user)
      return answerInTime(headers, async (wait) => {
        const answer = await executions.run(session, request, wait)
        const issue = history.session(session.sid)?.issue
        return issue === undefined ? answer : withIssue(answer, issue)
      })
    },
    decide,
    decideOfSession: decide,
  }
}

/** The rows of a batch that runs may be some seconds old. */
function runsOf(
  history: History,
  { status, type, sessionId, batch }: ListedReview,
): Pick<ReviewAnswer, 'runs'> {
  if ((status !== 'PROCESSING' && status !== 'EXECUTED') || type === 'jit') return {}
  const counts = history.read<ReadonlyMap<string, number>>(({ reviews, batches }) => {
    if (batch !== undefined) return batches.runCounts(batch.id)
    const outcome = reviews.facts.outcomeOf(sessionId)
    return new Map(outcome === undefined ? [] : [[outcome === 'open' ? 'running' : outcome, 1]])
  })
  if (counts.size === 0) return {}
  const count = (name: string) => counts.get(name) ?? 0
  return {
    runs: {
      succeeded: count('succeeded'),
      failed: count('failed') + count('unknown'),
      stopped: count('stopped'),
      running: count('running'),
      not_begun: count('not-begun'),
    },
  }
}

/** A batch asks if one of its connections does. */
function reasonNeedOf({ connections }: GatewaySettings, { connection, batch, runbook }: ListedReview) {
  const names = new Set([connection, ...(batch?.waves.flat() ?? [])])
  const needs = connections.flatMap((one) =>
    names.has(one.name) ? (reasonSetting(one, runbook?.file) ?? []) : [],
  )
  const need = needs.includes('required') ? 'required' : needs[0]
  return need === undefined ? {} : { reason_need: need }
}

const VERDICTS: readonly ReviewVerdict[] = ['APPROVED', 'REJECTED', 'REVOKED']

/** @throws RequestRefused */
function decisionOf(body: DecisionBody): Decision {
  const { status, time_window: asked, force_review: force, rejection_reason: reason, comment } = body
  const timeWindow = asked === null || asked === undefined ? undefined : readWindow(asked.configuration)
  const verdict = VERDICTS.find((one) => one === status.toUpperCase())
  if (verdict === undefined) throw refused('invalid-request/review-status')
  return { verdict, force, reason, comment, ...(timeWindow !== undefined && { timeWindow }) }
}

type Times = NonNullable<DecisionBody['time_window']>['configuration']

function readWindow({ start_time: start, end_time: end }: Times): TimeWindow {
  if (start === '' || end === '') throw refused('invalid-request/half-window')
  for (const [which, time] of [
    ['start_time', start],
    ['end_time', end],
  ] as const)
    if (minutesOf(time) === undefined) throw refused('invalid-request/window-time', { which })
  return { start, end }
}
