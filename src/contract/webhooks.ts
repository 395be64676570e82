import * as v from 'valibot'
import { needed, type Contract, type Frozen } from './contract.ts'
import { text, wholeCount } from './words.ts'

const WebhookShape = v.strictObject({
  name: needed(text),
  url: v.pipe(text, v.description('the address, reduced to its server')),
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

const WebhookTestShape = v.strictObject({
  delivered: needed(v.boolean()),
  status: v.nullable(wholeCount),
  error: v.nullable(text),
})

/** A receiver of gateway.yaml, its waiting messages and its last deliveries. */
export type WebhookAnswer = Frozen<v.InferOutput<typeof WebhookShape>>
export type WaitingDelivery = WebhookAnswer['deliveries'][number]

export const webhookContract = {
  list: {
    tag: 'Gateway',
    method: 'GET',
    path: '/api/webhooks',
    summary: 'Lists webhooks with their last errors and the 20 oldest waiting messages',
    role: 'auditor',
    audit: 'none',
    answers: { 200: v.array(WebhookShape) },
    errors: ['history-failed'],
  },
  test: {
    tag: 'Gateway',
    method: 'POST',
    path: '/api/webhooks/:name/test',
    summary: 'Sends a test message; a webhook whose receiver accepts it is enabled again',
    role: 'admin',
    audit: { action: 'update', type: 'webhooks' },
    answers: { 200: WebhookTestShape },
    errors: ['webhook-not-found', 'history-failed'],
  },
} as const satisfies Contract
