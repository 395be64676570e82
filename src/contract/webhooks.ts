import * as v from 'valibot'
import { needed, type Contract, type Frozen } from './contract.ts'
import { about, moment, text, time, wholeCount } from './words.ts'

const WebhookShape = v.strictObject({
  name: needed(about('name of the webhook', text)),
  url: v.pipe(
    text,
    v.description('protocol and server of the address; the path is not shown, because it may be a secret'),
  ),
  events: about('names of the events that are sent', v.array(text)),
  template: about('form of the messages', v.picklist(['standard', 'slack', 'teams'])),
  connections: about(
    'names of the connections whose events are sent; null: all connections',
    v.nullable(v.array(text)),
  ),
  signed: about('whether the messages are signed', v.boolean()),
  status: about(
    'active: no delivery has failed since the last success or the start; failing: the last delivery failed and is retried; disabled: the receiver answered 410 Gone and gets no messages until a test succeeds',
    v.picklist(['active', 'failing', 'disabled']),
  ),
  delivered: about(
    'number of messages that were delivered to this address of the webhook, also before a restart',
    wholeCount,
  ),
  dropped: about('number of messages to this address whose delivery was given up', wholeCount),
  waiting: about('number of messages that wait for their delivery', wholeCount),
  last_delivery: about('when a message was last delivered; null if no message was delivered', time),
  last_error: about(
    'error of the last failed delivery, also if later deliveries succeeded; null if no delivery has failed',
    v.nullable(text),
  ),
  last_error_at: about('when the last failed delivery failed; null if no delivery has failed', time),
  deliveries: about(
    'the 20 oldest waiting messages',
    v.array(
      v.strictObject({
        id: about('id of the message', text),
        event: about('name of the event', text),
        at: about('when the event happened', moment),
        attempts: about('number of failed attempts', wholeCount),
        next_attempt: about('when the next attempt is due; null: immediately', time),
        error: about('why the last attempt failed; null if no attempt has failed', v.nullable(text)),
      }),
    ),
  ),
})

const WebhookTestShape = v.strictObject({
  delivered: needed(about('whether the receiver accepted the test message', v.boolean())),
  status: about(
    'HTTP status of the answer of the receiver; null if there was no answer',
    v.nullable(wholeCount),
  ),
  error: about('why the test message was not delivered; null if it was delivered', v.nullable(text)),
})

/** One receiver of messages (gateway.yaml lists them), its waiting messages and its last delivery. */
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
    summary: 'Sends a test message; if the receiver accepts it, a disabled webhook is enabled again',
    role: 'admin',
    audit: { action: 'update', type: 'webhooks', verb: 'tested a webhook' },
    answers: { 200: WebhookTestShape },
    errors: ['webhook-not-found', 'history-failed'],
  },
} as const satisfies Contract
