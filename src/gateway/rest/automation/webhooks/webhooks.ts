import type { FastifyInstance } from 'fastify'
import type { WaitingMessage } from '../../../automation/webhooks/webhook-rows.ts'
import type { WebhookSettings } from '../../../settings/webhooks.ts'
import { HttpError } from '../../http/http-error.ts'
import type { RestServices } from '../../services.ts'

/** Of one webhook, in a list. */
const SHOWN_MESSAGES = 20

/** Whom the gateway tells of what, and how that goes. They stand in gateway.yaml. */
export function webhookRoutes(app: FastifyInstance, services: RestServices): void {
  app.get('/api/webhooks', () => services.webhooks.all.map((webhook) => describe(services, webhook)))

  app.post<{ Params: { name: string } }>('/api/webhooks/:name/test', async ({ params }) => {
    const webhook = services.webhooks.all.find(({ name }) => name === params.name)
    if (webhook === undefined) throw new HttpError('webhook-not-found', `there is no webhook ${params.name}`)
    const attempt = await services.webhooks.test(webhook)
    return {
      delivered: attempt.outcome === 'delivered',
      status: attempt.status ?? null,
      error: attempt.outcome === 'delivered' ? null : attempt.reason,
    }
  })
}

/** Of its address only the server: the rest is a secret at Slack and Teams. */
function describe({ webhooks, history }: RestServices, webhook: WebhookSettings): object {
  const { name, url, events, connections, template, secret } = webhook
  const { state, count, waiting } = history.read(({ webhooks: rows }) => ({
    state: rows.states().find((one) => one.name === name),
    count: rows.count(name),
    waiting: rows.waiting(name, SHOWN_MESSAGES),
  }))
  const isDisabled = state?.disabledAt != null
  return {
    ...{ name, url: new URL(url.reveal()).origin, events, template },
    connections: connections ?? null,
    signed: secret !== undefined,
    status: isDisabled ? 'disabled' : webhooks.isFailing(name) ? 'failing' : 'active',
    delivered: state?.delivered ?? 0,
    dropped: state?.dropped ?? 0,
    waiting: count,
    last_delivery: dateOf(state?.deliveredAt ?? null),
    last_error: state?.error ?? null,
    last_error_at: dateOf(state?.errorAt ?? null),
    deliveries: waiting.map(delivery),
  }
}

function delivery({ id, event, at, attempts, dueAt, error }: WaitingMessage): object {
  return { id, event, at: dateOf(at), attempts, next_attempt: dateOf(dueAt === 0 ? null : dueAt), error }
}

function dateOf(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString()
}
