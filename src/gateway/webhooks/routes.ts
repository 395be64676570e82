import { webhookContract, type WaitingDelivery, type WebhookAnswer } from '../../contract/webhooks.ts'
import type { Handlers } from '../handlers.ts'
import type { History } from '../history/history.ts'
import { refused } from '../refusals/request-refused.ts'
import type { WebhookSettings } from '../settings/webhooks.ts'
import { timeOf } from '../identity.ts'
import type { WaitingMessage } from './webhook-rows.ts'
import type { Webhooks } from './webhooks.ts'

const SHOWN_MESSAGES = 20

interface WebhookRouting {
  readonly webhooks: Webhooks
  readonly history: History
}

export function webhookRoutes(services: WebhookRouting): Handlers<typeof webhookContract> {
  const { webhooks } = services
  return {
    list: () => webhooks.all.map((webhook) => webhookAnswer(services, webhook)),
    test: async ({ params }) => {
      const webhook = webhooks.all.find(({ name }) => name === params.name)
      if (webhook === undefined) throw refused('webhook-not-found', { name: params.name })
      const attempt = await webhooks.test(webhook)
      return {
        delivered: attempt.outcome === 'delivered',
        status: attempt.status ?? null,
        error: attempt.outcome === 'delivered' ? null : attempt.reason,
      }
    },
  }
}

/** Shows only the origin of the URL: for Slack and Teams the path is a secret. */
function webhookAnswer({ webhooks, history }: WebhookRouting, webhook: WebhookSettings): WebhookAnswer {
  const { name, url, events, connections, template, secret } = webhook
  const { state, count, waiting } = history.read(({ webhooks: rows }) => ({
    state: rows.states().find((one) => one.name === name),
    count: rows.count(name),
    waiting: rows.waiting(name, SHOWN_MESSAGES),
  }))
  const isDisabled = state?.disabledAt != null
  return {
    name,
    url: new URL(url.reveal()).origin,
    events,
    template,
    connections: connections ?? null,
    signed: secret !== undefined,
    status: isDisabled ? 'disabled' : webhooks.isFailing(name) ? 'failing' : 'active',
    delivered: state?.delivered ?? 0,
    dropped: state?.dropped ?? 0,
    waiting: count,
    last_delivery: timeOf(state?.deliveredAt),
    last_error: state?.error ?? null,
    last_error_at: timeOf(state?.errorAt),
    deliveries: waiting.map(waitingDelivery),
  }
}

function waitingDelivery({ id, event, at, attempts, dueAt, error }: WaitingMessage): WaitingDelivery {
  return {
    id,
    event,
    at: new Date(at).toISOString(),
    attempts,
    next_attempt: dueAt === 0 ? null : timeOf(dueAt),
    error,
  }
}
