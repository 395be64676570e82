import { batchBody, batchStopBody } from '../body/body.ts'
import { batchAnswer, batchDiffAnswer, batchListAnswer } from '../openapi/batch-answers.ts'
import type { OperationTable } from '../../../contract/operation.ts'

export const batchOperations: OperationTable = {
  'POST /api/batches': {
    tag: 'Batches',
    summary: 'Runs a runbook on several connections, wave by wave',
    description:
      'Begins, or waits for approval where a connection needs one, and answers at once. `connections` are names; with `tags` each of them has to have these, and without names it is all that have them.',
    role: 'standard',
    scope: 'connection',
    audit: { action: 'execute', type: 'batches' },
    body: batchBody,
    answers: { 201: batchAnswer },
    errors: [404, 422, 429, 500],
  },
  'GET /api/batches': {
    tag: 'Batches',
    summary: "Lists one's own batches and those that one's groups review, the newest 50 first",
    role: 'user',
    scope: 'concerned',
    audit: { action: 'view', type: 'batches' },
    answers: { 200: batchListAnswer },
    errors: [500],
  },
  'GET /api/batches/:id': {
    tag: 'Batches',
    summary: 'Shows a batch, its runs, and which of them have ended alike',
    role: 'user',
    scope: 'concerned',
    audit: { action: 'view', type: 'batches' },
    answers: { 200: batchAnswer },
    errors: [404, 500],
  },
  'GET /api/batches/:id/diff': {
    tag: 'Batches',
    summary: 'How the runs that have ended differ from what most of them have written',
    role: 'user',
    scope: 'read',
    audit: { action: 'view', type: 'batches' },
    answers: { 200: batchDiffAnswer },
    errors: [403, 404, 500],
  },
  'POST /api/batches/:id/exec': {
    tag: 'Batches',
    summary: 'Runs a batch that was approved, once',
    role: 'standard',
    scope: 'end',
    audit: { action: 'execute', type: 'batches' },
    answers: { 202: batchAnswer },
    errors: [403, 404, 409, 422, 429, 500],
  },
  'POST /api/batches/:id/stop': {
    tag: 'Batches',
    summary: 'Stops a batch: what has not begun never begins',
    description: 'With `kill` it also ends what runs. A batch that is over stays as it is.',
    role: 'standard',
    scope: 'end',
    audit: { action: 'kill', type: 'batches', takesAway: true },
    body: batchStopBody,
    answers: { 200: batchAnswer },
    errors: [404, 500],
  },
}
