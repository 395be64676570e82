import { RequestRefused } from '../refusals/request-refused.ts'
import { hoopWords } from '../../wire/gateway-words.ts'
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from '../../basics/logger.ts'
import { Secret } from '../../basics/secret.ts'
import type { PrintedSettings } from '../../basics/settings/json-schema.ts'
import { SettingsError } from '../../basics/settings/problems.ts'
import type { CertificateFiles } from '../tls/certificates.ts'
import type { Current, GatewaySettings } from './settings.ts'

/** Interval between two reads of a file. Two equal reads show that the file is completely written. */
const SETTLE_MS = 50
/** Maximum number of reads. If no two successive reads are equal, the reload fails. */
const MAX_LOOKS = 40

export interface GatewayFile {
  /** Name for messages. */
  readonly file: string
  /** Reads the file and all files that it refers to. @throws SettingsError */
  readonly read: () => GatewaySettings
  /** Returns the content without secrets. Undefined if the content is never shown. @throws SettingsError */
  readonly print?: () => PrintedSettings
}

interface ReloadServices {
  readonly source: GatewayFile
  readonly settings: Current<keyof GatewaySettings>
  /**
   * The gateway uses the settings when the call returns; the promise settles when the remaining work is done.
   * @throws if the settings cannot be applied
   */
  readonly apply: (settings: GatewaySettings) => Promise<void>
  readonly log: Logger
}

/** Has only names, no values. */
export interface ReloadReport {
  /** Changes that the gateway uses now. */
  readonly changes: readonly SettingsChange[]
  /** Changed settings that take effect only at the next start. */
  readonly restart: readonly string[]
}

/** Reads the settings again while the gateway serves. Running sessions keep their old settings. */
export class Reload {
  readonly #services: ReloadServices
  #running: Promise<ReloadReport> | undefined
  #next: Promise<ReloadReport> | undefined
  #afterwards: () => void = () => undefined
  readonly #closing = new AbortController()

  constructor(services: ReloadServices) {
    this.#services = services
  }

  /** Sets the function that is called after each successful reload. */
  afterEach(afterwards: () => void): void {
    this.#afterwards = afterwards
  }

  /**
   * Reloads the settings. All calls during a reload share one further reload, because the file may have
   * changed after the first one read it.
   * @throws SettingsError or RunbookError, after which the gateway continues with its previous settings.
   * RequestRefused when the gateway stops.
   */
  run(): Promise<ReloadReport> {
    if (this.#running === undefined) return this.#begin()
    this.#next ??= settled(this.#running).then(() => {
      this.#next = undefined
      return this.#begin()
    })
    return this.#next
  }

  /** Returns what `run` would change now. @throws SettingsError, RequestRefused when the gateway stops */
  async preview(): Promise<ReloadReport> {
    return (await this.#found()).report
  }

  /** @throws SettingsError */
  print(): PrintedSettings {
    const { source } = this.#services
    return source.print?.() ?? { file: source.file, settings: [] }
  }

  /** Refuses further reloads. Settles when no reload is running. */
  async close(): Promise<void> {
    this.#closing.abort()
    while (this.#running !== undefined) await settled(this.#running)
  }

  #begin(): Promise<ReloadReport> {
    this.#running = this.#reload().finally(() => (this.#running = undefined))
    return this.#running
  }

  async #reload(): Promise<ReloadReport> {
    const { apply, log } = this.#services
    try {
      const { after, report } = await this.#found()
      await apply(after)
      this.#tell(report)
      this.#afterwards()
      return report
    } catch (error) {
      const problems = (error as Error).message.split('\n')
      log.error({ problems }, 'settings not reloaded; the gateway continues with its previous settings')
      throw error
    }
  }

  /** Returns the settings that the gateway would use, and their differences to the current settings. */
  async #found(): Promise<{ readonly after: GatewaySettings; readonly report: ReloadReport }> {
    const found = await this.#written()
    if (this.#closing.signal.aborted) throw new RequestRefused('gateway-stopped', hoopWords.gatewayShutdown)
    const before = this.#services.settings.value
    const after = withFixed(found, before)
    return { after, report: { changes: changesBetween(before, after), restart: fixedChanges(before, found) } }
  }

  #tell({ changes, restart }: ReloadReport): void {
    const { log } = this.#services
    log.info({ changes: changes.map(changeText) }, 'settings reloaded')
    if (restart.length > 0)
      log.warn({ settings: restart }, 'some settings take effect only at the next start')
  }

  /** Reads the file until two successive reads agree. Returns their settings or throws their error. */
  async #written(): Promise<GatewaySettings> {
    let before = this.#look()
    for (let looks = 1; looks < MAX_LOOKS; looks++) {
      await delay(SETTLE_MS)
      const now = this.#look()
      if (isSameSettings(before, now)) return this.#usable(now)
      before = now
    }
    throw this.#problem('the file, or a file that it refers to, kept changing while it was read: try again')
  }

  #look(): GatewaySettings | SettingsError {
    try {
      return this.#services.source.read()
    } catch (error) {
      if (error instanceof SettingsError) return error
      throw error
    }
  }

  /** @throws SettingsError, also for a file that has become empty */
  #usable(found: GatewaySettings | SettingsError): GatewaySettings {
    if (found instanceof SettingsError) throw found
    if (isBare(found) && !isBare(this.#services.settings.value))
      throw this.#problem(
        'the file has no users, agents and connections; it is empty, or still being written',
      )
    return found
  }

  #problem(message: string): SettingsError {
    return new SettingsError(this.#services.source.file, [{ path: '', message }])
  }
}

function isBare({ users, agents, connections }: GatewaySettings): boolean {
  return users.length + agents.length + connections.length === 0
}

/** Keeps the running gateway's addresses and state folder, which only a new start can change. */
function withFixed(found: GatewaySettings, { listen, state }: GatewaySettings): GatewaySettings {
  const { tls: wanted, publicUrl } = found.listen
  const { http, grpc, metrics, trustedProxies } = listen
  // TLS cannot be switched on or off while the gateway runs, but its files may change.
  const tls = listen.tls && withFixedDemand(wanted ?? listen.tls, listen.tls)
  const given = { ...(metrics && { metrics }), ...(tls && { tls }), ...(publicUrl && { publicUrl }) }
  return { ...found, state, listen: { http, grpc, trustedProxies, ...given } }
}

/** Keeps whether agents need client certificates, because only a new start can change that. */
function withFixedDemand(
  { certificate, key, agentCa }: CertificateFiles,
  running: CertificateFiles,
): CertificateFiles {
  if (running.agentCa === undefined) return { certificate, key }
  return { certificate, key, agentCa: agentCa ?? running.agentCa }
}

function fixedChanges(running: GatewaySettings, found: GatewaySettings): string[] {
  const wanted = changesBetween(withFixed(found, running), found)
  return wanted.flatMap(({ setting, added, removed, changed }) =>
    [...added, ...removed, ...changed].map((name) => (name === setting ? name : `${setting}.${name}`)),
  )
}

function settled(work: Promise<unknown>): Promise<unknown> {
  return work.catch(() => undefined)
}

/** The change of one setting. It has only names, and no values, because values may be secrets. */
interface SettingsChange {
  readonly setting: string
  readonly added: readonly string[]
  readonly removed: readonly string[]
  readonly changed: readonly string[]
}

type Parts = Readonly<Record<string, unknown>>

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
const PARTS: { readonly [Setting in keyof GatewaySettings]-?: (of: GatewaySettings) => Parts } = {
  listen: ({ listen: { http, grpc, metrics, tls, publicUrl, trustedProxies } }) => ({
    http,
    grpc,
    metrics,
    tls,
    'public-url': publicUrl,
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
function changesBetween(before: GatewaySettings, after: GatewaySettings): SettingsChange[] {
  const changes = Object.entries(PARTS).map(([setting, partsOf]) => ({
    setting,
    ...differences(partsOf(before), partsOf(after)),
  }))
  return changes.filter(({ added, removed, changed }) => added.length + removed.length + changed.length > 0)
}

/** Returns a text for the log, for example `users +ada -bob ~eve`. */
function changeText({ setting, added, removed, changed }: SettingsChange): string {
  const marked = (mark: string, names: readonly string[]) => names.map((name) => `${mark}${name}`)
  return [setting, ...marked('+', added), ...marked('-', removed), ...marked('~', changed)].join(' ')
}

function isSameSettings(one: unknown, other: unknown): boolean {
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
function comparableJson(value: unknown): string {
  return JSON.stringify(value, function (this: Record<string, unknown>, key, shown: unknown) {
    // The JSON of every secret is equal, so the secret itself is used.
    const own = this[key]
    if (own instanceof Secret) return own.reveal()
    return own instanceof Map ? [...own] : shown
  })
}
