import * as v from 'valibot'
import type { Account } from '../account/account.ts'
import { askJson } from './http/json.ts'

/** Whom a gateway tells. Make its texts printable before you show them. */
export interface ListedWebhook {
  readonly name: string
  readonly url: string
  readonly events: readonly string[]
  /** active, failing, disabled. */
  readonly status: string
  readonly waiting: number
  readonly delivered: number
  readonly dropped: number
  readonly lastError: string
  readonly raw: object
}

const Text = v.fallback(v.nullish(v.string(), ''), '')
const Count = v.fallback(v.number(), 0)
const Raw = v.looseObject({ name: v.string() })
const Facts = v.object({
  ...{ url: Text, status: Text, last_error: Text, waiting: Count, delivered: Count, dropped: Count },
  events: v.fallback(v.array(v.string()), []),
})

/** @throws ApiError */
export async function listWebhooks(account: Account): Promise<readonly ListedWebhook[]> {
  const { value } = await askJson(account, { method: 'GET', path: '/api/webhooks' }, v.array(Raw))
  return value.map((raw) => {
    const { last_error: lastError, ...facts } = v.parse(Facts, raw)
    return { name: raw.name, raw, lastError, ...facts }
  })
}

const Tested = v.looseObject({ delivered: v.boolean(), error: Text })

export interface WebhookTest {
  readonly isDelivered: boolean
  readonly error: string
  readonly raw: object
}

/** @throws ApiError `not-found` */
export async function testWebhook(account: Account, name: string): Promise<WebhookTest> {
  const path = `/api/webhooks/${encodeURIComponent(name)}/test`
  const { value } = await askJson(account, { method: 'POST', path }, Tested)
  return { isDelivered: value.delivered, error: value.error, raw: value }
}
