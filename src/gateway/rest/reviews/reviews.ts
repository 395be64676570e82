import type { FastifyInstance } from 'fastify'
import { hoopWords } from '../../../wire/gateway-words.ts'
import { answerInTime } from './answer-execution.ts'
import { HttpError } from '../http/http-error.ts'
import type { RestServices } from '../services.ts'
import { withIssue } from '../../executions/reviewed-execution.ts'
import { readDecision } from './review-body.ts'
import { reviewView } from '../../reviews/review-view.ts'

interface ById {
  readonly Params: { readonly id: string }
}

/** Reading reviews, and running what was approved. An id is that of a review or of its session. */
export function reviewRoutes(app: FastifyInstance, services: RestServices): void {
  const { reviews, runs, executions } = services

  app.get('/api/reviews', ({ user }) => reviews.list(user).map(reviewView))

  app.get<ById>('/api/reviews/:id', ({ user, params }) => {
    const review = reviews.visible(user, params.id)
    if (review === undefined) throw new HttpError('review-not-found', hoopWords.resourceNotFound)
    return reviewView(review)
  })

  app.post<ById>('/api/sessions/:id/exec', async (request, reply) => {
    const { user, params, headers } = request
    const { session, request: approved } = runs.start(params.id, user)
    return answerInTime(headers, reply, async (waitMs) => {
      const answer = await executions.run(session, approved, waitMs)
      const issue = services.history.session(session.sid)?.issue
      return issue === undefined ? answer : withIssue(answer, issue)
    })
  })
}

/** What reviewers say. */
export function decisionRoutes(app: FastifyInstance, services: RestServices): void {
  for (const path of ['/api/reviews/:id', '/api/sessions/:id/review'])
    app.put<ById>(path, ({ user, params, body }) =>
      reviewView(services.reviews.decide(params.id, user, readDecision(body))),
    )
}
