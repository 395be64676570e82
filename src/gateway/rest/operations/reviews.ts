import * as v from 'valibot'
import * as answers from '../openapi/answers.ts'
import { reviewBody } from '../reviews/review-body.ts'
import { EXECUTION } from './executions.ts'
import type { Operation, OperationTable } from '../../../contract/operation.ts'

const DECISION: Operation = {
  tag: 'Reviews',
  summary: 'Approves, rejects or revokes what somebody has asked for',
  description: '`status` is APPROVED, REJECTED or REVOKED. The id is that of the review or of its session.',
  role: 'standard',
  scope: 'concerned',
  audit: { action: 'decide', type: 'reviews' },
  body: reviewBody,
  answers: { 200: answers.reviewAnswer },
  errors: [404, 500],
}

export const reviewOperations: OperationTable = {
  'POST /api/sessions/:id/exec': {
    tag: 'Reviews',
    summary: 'Runs what was approved, once',
    scope: 'end',
    ...EXECUTION,
    audit: { action: 'run', type: 'sessions' },
    errors: [...EXECUTION.errors, 409],
  },
  'GET /api/reviews': {
    tag: 'Reviews',
    summary: "Lists one's own reviews and those of one's groups, the newest first",
    role: 'user',
    scope: 'concerned',
    audit: { action: 'view', type: 'reviews' },
    answers: { 200: v.array(answers.reviewAnswer) },
    errors: [500],
  },
  'GET /api/reviews/:id': {
    tag: 'Reviews',
    summary: 'Shows a review, by its id or that of its session',
    role: 'user',
    scope: 'concerned',
    audit: { action: 'view', type: 'reviews' },
    answers: { 200: answers.reviewAnswer },
    errors: [404, 500],
  },
  'PUT /api/reviews/:id': DECISION,
  'PUT /api/sessions/:id/review': DECISION,
}
