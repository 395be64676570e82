import { BrokenReply, exchange, type HttpQuestion } from '../../basics/net/exchange.ts'
import { goHttpError } from '../../basics/net/go-errors.ts'
import { proxyTo, TunnelError } from '../../basics/net/proxy.ts'
import { patience } from '../../basics/abort.ts'
import type { WebhookSettings } from '../settings/webhooks.ts'

/** Longest wait for an answer. A slow receiver delays only its own messages. */
const ANSWER_MS = 15_000
/** At most this much of an answer is read. Its content is not used. */
const ANSWER_BYTES = 64 * 1024
/** Longest pause that a receiver can request by `Retry-After`. */
const MAX_WAIT_MS = 60 * 60 * 1000

/** `gone` means that the receiver accepts no more messages. */
export type Attempt =
  | { readonly outcome: 'delivered'; readonly status: number }
  | { readonly outcome: 'gone'; readonly status: number; readonly reason: string }
  | {
      readonly outcome: 'failed'
      readonly status: number | undefined
      readonly reason: string
      /** The pause that the receiver requests. */
      readonly waitMs?: number
    }

/** Sends a message once, as specified by Standard Webhooks. Never rejects and follows no redirects. */
export async function deliver(
  webhook: WebhookSettings,
  { id, body }: { readonly id: string; readonly body: string },
  over: AbortSignal,
): Promise<Attempt> {
  const signal = patience(ANSWER_MS, over)
  const url = new URL(webhook.url.reveal())
  try {
    const headers = await makeHeaders(webhook, id, body)
    const { status, retryAfter } = await exchange(question(webhook, url, { headers, body, signal }))
    return attemptOf(status, retryAfter)
  } catch (error) {
    if (error instanceof BrokenReply) return attemptOf(error.head.status, error.head.retryAfter)
    const reason = reasonOf(error as Error, url, signal)
    return { outcome: 'failed', status: undefined, reason }
  }
}

async function makeHeaders(
  { secret }: WebhookSettings,
  id: string,
  body: string,
): Promise<Record<string, string>> {
  const now = new Date()
  const headers = {
    'Content-Type': 'application/json',
    'User-Agent': 'runbook-agent',
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
  }
  if (secret === undefined) return headers
  const { Webhook } = await import('standardwebhooks')
  return { ...headers, 'webhook-signature': new Webhook(secret.reveal()).sign(id, now, body) }
}

function question(
  { authorities, proxy }: WebhookSettings,
  { protocol, hostname, port, pathname, search }: URL,
  rest: Pick<HttpQuestion, 'headers' | 'signal'> & { readonly body: string },
): HttpQuestion {
  const isSecure = protocol === 'https:'
  const address = { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || (isSecure ? 443 : 80)) }
  const { createSecureContext } = process.getBuiltinModule('node:tls')
  return {
    method: 'POST',
    isSecure,
    path: pathname + search,
    limit: ANSWER_BYTES,
    ...address,
    ...rest,
    ...(isSecure && {
      tls: { context: createSecureContext({ ca: [...authorities()] }), skipVerify: false },
    }),
    proxy: proxyTo(proxy, address.host, address.port),
  }
}

function attemptOf(status: number, retryAfter: string | undefined): Attempt {
  if (status >= 200 && status < 300) return { outcome: 'delivered', status }
  if (status === 410)
    return {
      outcome: 'gone',
      status,
      reason: 'the receiver answered 410 Gone, so it accepts no more messages',
    }
  const redirects = status >= 300 && status < 400 ? ', a redirect, which is not followed' : ''
  const waitMs = waitOf(retryAfter)
  return {
    outcome: 'failed',
    status,
    reason: `the receiver answered ${status}${redirects}`,
    ...(waitMs !== undefined && { waitMs }),
  }
}

/** Returns the requested pause in ms. `Retry-After` is a number of seconds or a date. */
function waitOf(retryAfter: string | undefined): number | undefined {
  if (retryAfter === undefined) return undefined
  const ms = /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - Date.now()
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(0, ms), MAX_WAIT_MS)
}

/** Returns a text without the path of the address, because the path may be a secret. */
function reasonOf(error: Error, { hostname, port, protocol }: URL, signal: AbortSignal): string {
  if (signal.aborted) return `the receiver did not answer within ${ANSWER_MS / 1000} s`
  if (error instanceof TunnelError) return error.message
  const usual = protocol === 'https:' ? 443 : 80
  return goHttpError(error, { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || usual) })
}
