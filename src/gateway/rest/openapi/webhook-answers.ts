import * as v from 'valibot'
import { wholeCount, text } from './answer-words.ts'

// What is answered of webhooks, as in answers.ts.

export const webhookAnswer = v.strictObject({
  name: text,
  url: v.pipe(text, v.description('the server alone')),
  events: v.array(text),
  template: v.picklist(['standard', 'slack', 'teams']),
  connections: v.nullable(v.array(text)),
  signed: v.boolean(),
  status: v.picklist(['active', 'failing', 'disabled']),
  delivered: wholeCount,
  dropped: wholeCount,
  waiting: wholeCount,
  last_delivery: v.nullable(text),
  last_error: v.nullable(text),
  last_error_at: v.nullable(text),
  deliveries: v.array(
    v.strictObject({
      id: text,
      event: text,
      at: text,
      attempts: wholeCount,
      next_attempt: v.nullable(text),
      error: v.nullable(text),
    }),
  ),
})

export const webhookTestAnswer = v.strictObject({
  delivered: v.boolean(),
  status: v.nullable(wholeCount),
  error: v.nullable(text),
})
