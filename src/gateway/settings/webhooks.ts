import * as v from 'valibot'
import { isLoopback } from '../../basics/net/address.ts'
import { proxyFrom, type ProxySettings } from '../../basics/net/proxy.ts'
import { systemAuthorities } from '../../basics/net/authorities.ts'
import { Secret } from '../../basics/secret.ts'
import { about, choice, json, list, map, parsed } from '../../basics/settings/shapes.ts'
import type { Problems } from '../../basics/settings/problems.ts'
import type { Sources } from '../../basics/settings/references.ts'
import { Authorities } from './jira.ts'
import { Name } from './words.ts'

const WEBHOOK_EVENTS = [
  'session.finished',
  'session.failed',
  'review.waiting',
  'review.approved',
  'review.rejected',
] as const
export type WebhookEvent = (typeof WEBHOOK_EVENTS)[number]

/** Maximum number of webhooks. Each of them may have 10,000 waiting messages. */
const MAX_WEBHOOKS = 20

const ReceiverUrl = v.pipe(
  parsed(
    receiverUrl,
    'an address like https://HOST/PATH, without user, password and # (http:// on the loopback only),',
  ),
  json({ writeOnly: true }),
)

/** Returns the address as a secret: who knows an address of Slack or Teams can send messages to it. */
function receiverUrl(text: string): Secret | undefined {
  if (!/^https?:\/\/[^/?#@\\\s]+(?:[/?][^#\\\s]*)?$/i.test(text) || !URL.canParse(text)) return undefined
  const { protocol, hostname } = new URL(text)
  const isSafe = protocol === 'https:' || isLoopback(hostname.replace(/^\[|\]$/g, ''))
  return isSafe ? new Secret(text) : undefined
}

const SigningKey = v.pipe(
  parsed((text) => {
    const [, key = ''] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text) ?? []
    const { length } = Buffer.from(key, 'base64')
    return length >= 24 && length <= 64 ? new Secret(text) : undefined
  }, 'whsec_ and 24 to 64 bytes in base64'),
  json({ writeOnly: true }),
)

const WebhookShape = map({
  name: about('name of the webhook', Name),
  url: about(
    'address that receives the messages; a reference such as file://webhook.url is safer than the address itself',
    ReceiverUrl,
  ),
  secret: about(
    'key that signs the messages; required for the template standard; a reference such as file://webhook.secret is safer than the key itself',
    v.nullish(SigningKey),
  ),
  events: about(
    'events about which messages are sent',
    v.pipe(
      list(choice(Object.fromEntries(WEBHOOK_EVENTS.map((event) => [event, event]))), 'events'),
      v.minLength(1, 'at least one event is expected'),
    ),
  ),
  connections: about(
    'names of the connections whose events are sent (default: all connections)',
    v.nullish(list(Name, 'names')),
  ),
  template: about(
    'form of the messages',
    v.nullish(choice({ standard: 'standard', slack: 'slack', teams: 'teams' }), 'standard'),
  ),
  ca: about(
    "certificate authorities for the receiver's certificate (default: the authorities of the system)",
    v.nullish(Authorities),
  ),
})

export const WebhooksShape = v.pipe(
  list(WebhookShape, 'webhooks'),
  v.maxLength(MAX_WEBHOOKS, `at most ${MAX_WEBHOOKS} webhooks are expected`),
)
type WebhookShape = v.InferOutput<typeof WebhookShape>

export interface WebhookSettings {
  readonly name: string
  readonly url: Secret
  /** Begins with `whsec_`. Undefined if messages are not signed. */
  readonly secret?: Secret
  readonly events: readonly string[]
  /** Undefined if the webhook is for all connections. */
  readonly connections?: readonly string[]
  readonly template: 'standard' | 'slack' | 'teams'
  /** Returns certificates in PEM. */
  readonly authorities: () => readonly string[]
  /** Comes from the gateway's environment. */
  readonly proxy: ProxySettings | undefined
}

export function buildWebhooks(
  shapes: readonly WebhookShape[],
  { env }: Sources,
  problems: Problems,
): WebhookSettings[] {
  const proxy = shapes.length === 0 ? undefined : proxyFrom(env, problems)
  return shapes.map(({ name, url, secret, events, connections, template, ca }, i) => {
    if (template === 'standard' && !secret)
      problems.add(
        ['webhooks', i, 'secret'],
        'the template standard needs a secret: whsec_ and a key in base64',
      )
    return {
      name,
      url,
      events,
      template,
      proxy,
      ...(secret ? { secret } : {}),
      ...(connections ? { connections } : {}),
      authorities: () => ca ?? systemAuthorities(env),
    }
  })
}
