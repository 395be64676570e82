import * as v from 'valibot'
import { needed, type Contract, type Frozen } from './contract.ts'
import { about, text, wholeCount } from './words.ts'

const WebhookShape = v.strictObject({
  name: needed(about('name of the webhook', text)),
  url: v.pipe(text, v.description('the address, reduced to its server')),
  events: about('events that are sent', v.array(text)),
  template: about('form of the messages', v.picklist(['standard', 'slack', 'teams'])),
  connections: about('connections whose events are sent; null: all', v.nullable(v.array(text))),
  signed: about('whether messages are signed', v.boolean()),
  status: about(
    'failing: the last attempt failed; disabled: it failed for too long',
    v.picklist(['active', 'failing', 'disabled']),
  ),
  delivered: about('messages delivered since the start', wholeCount),
  dropped: about('messages given up since the start', wholeCount),
  waiting: about('messages that wait', wholeCount),
  last_delivery: about('when a message was last delivered', v.nullable(text)),
  last_error: about('the last error', v.nullable(text)),
  last_error_at: about('when it occurred', v.nullable(text)),
  deliveries: about(
    'the 20 oldest waiting messages',
    v.array(
      v.strictObject({
        id: about('id of the message', text),
        event: about('event', text),
        at: about('when it happened', text),
        attempts: about('number of attempts', wholeCount),
        next_attempt: about('when it is sent next', v.nullable(text)),
        error: about('why the last attempt failed', v.nullable(text)),
      }),
    ),
  ),
})

const WebhookTestShape = v.strictObject({
  delivered: needed(about('whether the receiver accepted it', v.boolean())),
  status: about('status of the answer', v.nullable(wholeCount)),
  error: about('why it was not delivered', v.nullable(text)),
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
