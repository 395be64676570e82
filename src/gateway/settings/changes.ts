import { Secret } from '../../basics/secret.ts'
import type { GatewaySettings } from './settings.ts'

/** The change of one setting. It has only names, and no values, because values may be secrets. */
export interface SettingsChange {
  readonly setting: string
  readonly added: readonly string[]
  readonly removed: readonly string[]
  readonly changed: readonly string[]
}

export type Parts = Readonly<Record<string, unknown>>

const LIMITS: { readonly [Limit in keyof GatewaySettings['limits']]-?: string } = {
  waitMs: 'wait',
  agentWaitMs: 'agent-wait',
  lockWaitMs: 'lock-wait',
  bodyBytes: 'body',
  outputBytes: 'output',
  batchParallel: 'batch-parallel',
  failedSignIns: 'failed-sign-ins',
}

/** The parts of each setting that are compared and reported. */
export const PARTS: { readonly [Setting in keyof GatewaySettings]-?: (of: GatewaySettings) => Parts } = {
  listen: ({ listen: { http, grpc, metrics, tls, publicUrl, hosts, trustedProxies } }) => ({
    http,
    grpc,
    metrics,
    tls,
    'public-url': publicUrl,
    hosts,
    'trusted-proxies': trustedProxies,
  }),
  state: ({ state }) => ({ state }),
  users: ({ users }) => byName(users),
  signIn: ({ signIn }) => ({ ...signIn }),
  agents: ({ agents }) => byName(agents),
  repositories: ({ repositories }) => byName(repositories),
  guardrails: ({ guardrails }) => byName(guardrails),
  jira: ({ jira }) => (jira === undefined ? {} : { ...jira }),
  locks: ({ locks }) => byName(locks),
  schedules: ({ schedules }) => byName(schedules),
  webhooks: ({ webhooks }) => byName(webhooks),
  mcp: ({ mcp }) => Object.fromEntries(mcp.map((offer, at) => [`offer ${at + 1}`, offer])),
  connections: ({ connections }) => byName(connections),
  limits: ({ limits }) =>
    Object.fromEntries(
      Object.entries(LIMITS).map(([key, name]) => [name, limits[key as keyof typeof LIMITS]]),
    ),
  stopTimeoutMs: ({ stopTimeoutMs }) => ({ 'stop-timeout': stopTimeoutMs }),
  history: ({ history: { retainMs, auditRetainMs, sizeBytes, connections } }) => ({
    retain: retainMs,
    'audit-retain': auditRetainMs,
    size: sizeBytes,
    ...Object.fromEntries([...connections].map(([name, limits]) => [`of ${name}`, limits])),
  }),
}

/** Returns the changes in the order of `PARTS`. */
export function changesBetween(before: GatewaySettings, after: GatewaySettings): SettingsChange[] {
  const changes = Object.entries(PARTS).map(([setting, partsOf]) => ({
    setting,
    ...differences(partsOf(before), partsOf(after)),
  }))
  return changes.filter(({ added, removed, changed }) => added.length + removed.length + changed.length > 0)
}

/** Returns a text for the log, for example `users +ada -bob ~eve`. */
export function changeText({ setting, added, removed, changed }: SettingsChange): string {
  const marked = (mark: string, names: readonly string[]) => names.map((name) => `${mark}${name}`)
  return [setting, ...marked('+', added), ...marked('-', removed), ...marked('~', changed)].join(' ')
}

export function isSameSettings(one: unknown, other: unknown): boolean {
  return comparableJson(one) === comparableJson(other)
}

function differences(before: Parts, after: Parts): Omit<SettingsChange, 'setting'> {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  const has = (parts: Parts, name: string) => parts[name] !== undefined
  return {
    added: names.filter((name) => !has(before, name) && has(after, name)),
    removed: names.filter((name) => has(before, name) && !has(after, name)),
    changed: names.filter(
      (name) => has(before, name) && has(after, name) && !isSameSettings(before[name], after[name]),
    ),
  }
}

function byName(items: readonly { readonly name: string }[]): Parts {
  return Object.fromEntries(items.map((item) => [item.name, item]))
}

/** Returns a text for comparing. It contains secrets, so it must not be shown. Functions are left out. */
export function comparableJson(value: unknown): string {
  return JSON.stringify(value, function (this: Record<string, unknown>, key, shown: unknown) {
    // The JSON of every secret is equal, so the secret itself is used.
    const own = this[key]
    if (own instanceof Secret) return own.reveal()
    return own instanceof Map ? [...own] : shown
  })
}
