import * as v from 'valibot'
import { webhookAnswer, webhookTestAnswer } from '../openapi/webhook-answers.ts'
import type { OperationTable } from './operation.ts'

export const webhookOperations: OperationTable = {
  'GET /api/webhooks': {
    tag: 'Gateway',
    summary: 'Lists whom the gateway tells of what, what waits, and the last error',
    role: 'auditor',
    audit: 'none',
    answers: { 200: v.array(webhookAnswer) },
    errors: [500],
  },
  'POST /api/webhooks/:name/test': {
    tag: 'Gateway',
    summary: 'Sends a test message; a receiver that takes it is enabled again',
    role: 'admin',
    audit: { action: 'update', type: 'webhooks' },
    answers: { 200: webhookTestAnswer },
    errors: [404, 500],
  },
}
