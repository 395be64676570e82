import { refused } from '../refusals/request-refused.ts'
import { createHmac, randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from '../../basics/logger.ts'
import type { PrintedSettings } from '../../basics/settings/json-schema.ts'
import { SettingsError } from '../../basics/settings/problems.ts'
import type { CertificateFiles } from '../tls/certificates.ts'
import { changesBetween, changeText, comparableJson, isSameSettings, type SettingsChange } from './changes.ts'
import { changedEntries, type ChangedEntries } from './changed-entries.ts'
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
  readonly apply: (settings: GatewaySettings, report: ReloadReport) => Promise<void>
  /** Returns the waiting requests on which these settings have an effect. Undefined if they cannot be read. */
  readonly waiting: (next: GatewaySettings) => readonly WaitingEffect[] | undefined
  readonly log: Logger
}

/** What a reload does to a request that waits for approval or for its run. */
export interface WaitingEffect {
  readonly sessionId: string
  readonly owner: string
  readonly connection: string
  /** Title or file of the runbook. Undefined for a script and for a terminal. */
  readonly runbook: string | undefined
  /**
   * `blocked`: the request cannot run with the new settings; `freed`: it can run again; `approval-void`: an
   * approval no longer counts; `no-approver`: no user of the gateway can approve it; `keeps-rule`: the rule
   * has changed, but the request keeps the rule of its time.
   */
  readonly effect: 'blocked' | 'freed' | 'approval-void' | 'no-approver' | 'keeps-rule'
  readonly says: string
}

export interface ReloadReport {
  /** Changes that the gateway uses now. They have only names, no values. */
  readonly changes: readonly SettingsChange[]
  /** The same changes with their values, without secrets. */
  readonly entries: ChangedEntries
  /** Undefined if the history cannot be read. A reload does not need the history. */
  readonly waiting: readonly WaitingEffect[] | undefined
  /** Differs for other current settings, and for other settings in the file. */
  readonly version: string
  /** Changed settings that take effect only at the next start. */
  readonly restart: readonly string[]
}

/** Settings that the gateway would use, and how they differ from those that it uses. */
interface Found {
  readonly after: GatewaySettings
  readonly report: ReloadReport
  /** Undefined if the content is never shown. */
  readonly printed: PrintedSettings | undefined
}

/** Reads the settings again while the gateway serves. Running sessions keep their old settings. */
export class Reload {
  readonly #services: ReloadServices
  /** Versions are keyed hashes, because the settings have secrets. */
  readonly #key = randomBytes(32)
  /** The last of the reloads, which run one after the other. */
  #running: Promise<ReloadReport> | undefined
  /** A reload that has not begun yet, and that calls without a version share. */
  #next: Promise<ReloadReport> | undefined
  #afterwards: () => void = () => undefined
  readonly #closing = new AbortController()
  #printed: PrintedSettings

  constructor(services: ReloadServices) {
    this.#services = services
    this.#printed = this.#print() ?? { file: services.source.file, settings: [] }
  }

  /** The content that the gateway read at its start or its last reload, without secrets. */
  get printed(): PrintedSettings {
    return this.#printed
  }

  /** Sets the function that is called after each successful reload. */
  afterEach(afterwards: () => void): void {
    this.#afterwards = afterwards
  }

  /**
   * Reloads the settings. All calls without a version during a reload share one further reload, because the
   * file may have changed after the first one read it.
   * @param version of the report that the caller has seen
   * @throws SettingsError or RunbookError, after which the gateway continues with its previous settings.
   * RequestRefused when the gateway stops, and if `version` is not the version of what would be loaded now.
   */
  run(version?: string): Promise<ReloadReport> {
    const before = this.#running
    if (before === undefined) return this.#queued(this.#reload(version))
    if (version !== undefined) return this.#queued(settled(before).then(() => this.#reload(version)))
    this.#next ??= this.#queued(
      settled(before).then(() => {
        this.#next = undefined
        return this.#reload()
      }),
    )
    return this.#next
  }

  /** Returns what `run` would change now. @throws SettingsError, RequestRefused when the gateway stops */
  async preview(): Promise<ReloadReport> {
    return (await this.#found()).report
  }

  /** Refuses further reloads. Settles when no reload is running. */
  async close(): Promise<void> {
    this.#closing.abort()
    while (this.#running !== undefined) await settled(this.#running)
  }

  #queued(reload: Promise<ReloadReport>): Promise<ReloadReport> {
    const last = reload.finally(() => {
      if (this.#running === last) this.#running = undefined
    })
    this.#running = last
    return last
  }

  async #reload(version?: string): Promise<ReloadReport> {
    const { apply, log } = this.#services
    try {
      const { after, report, printed } = await this.#found()
      if (version !== undefined && version !== report.version) throw refused('settings-changed')
      await apply(after, report)
      this.#printed = printed ?? this.#printed
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
  async #found(): Promise<Found> {
    const { found, printed } = await this.#written()
    if (this.#closing.signal.aborted) throw refused('gateway-stopped/shutdown')
    const before = this.#services.settings.value
    const after = withFixed(found, before)
    const changes = changesBetween(before, after)
    const report = {
      changes,
      entries: changedEntries(changes, before, after),
      waiting: this.#services.waiting(after),
      restart: fixedChanges(before, found),
      version: this.#versionOf(before, found),
    }
    return { after, report, printed }
  }

  #versionOf(before: GatewaySettings, found: GatewaySettings): string {
    return createHmac('sha256', this.#key)
      .update(comparableJson([before, found]))
      .digest('hex')
      .slice(0, 32)
  }

  #tell({ changes, restart }: ReloadReport): void {
    const { log } = this.#services
    log.info({ changes: changes.map(changeText) }, 'settings reloaded')
    if (restart.length > 0)
      log.warn({ settings: restart }, 'some settings take effect only at the next start')
  }

  /** Reads the file until two successive reads agree. Returns their settings or throws their error. */
  async #written(): Promise<{
    readonly found: GatewaySettings
    readonly printed: PrintedSettings | undefined
  }> {
    let before = this.#look()
    for (let looks = 1; looks < MAX_LOOKS; looks++) {
      await delay(SETTLE_MS)
      // It lies between two equal reads, so it is of the same content.
      const printed = this.#print()
      const now = this.#look()
      if (isSameSettings(before, now)) return { found: this.#usable(now), printed }
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

  /** Returns undefined if the file cannot be read. */
  #print(): PrintedSettings | undefined {
    try {
      return this.#services.source.print?.()
    } catch (error) {
      if (error instanceof SettingsError) return undefined
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
  const { tls: wanted, publicUrl, hosts } = found.listen
  const { http, grpc, metrics, trustedProxies } = listen
  // TLS cannot be switched on or off while the gateway runs, but its files may change.
  const tls = listen.tls && withFixedDemand(wanted ?? listen.tls, listen.tls)
  const given = { ...(metrics && { metrics }), ...(tls && { tls }), ...(publicUrl && { publicUrl }) }
  return { ...found, state, listen: { http, grpc, hosts, trustedProxies, ...given } }
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
