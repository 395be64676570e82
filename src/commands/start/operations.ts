import type { Agent } from '../../agent/agent.ts'
import { longestStopMs } from '../../agent/connection/timing.ts'
import type { Counters } from '../../agent/counters.ts'
import type { Journal } from '../../agent/journal/journal.ts'
import type { AgentServices } from '../../agent/running/services.ts'
import type { Logger } from '../../basics/logger.ts'
import type { AgentConfiguration } from '../../config.ts'
import { readiness } from '../../operations/health.ts'
import type { Http } from '../../operations/http.ts'
import { SetUpError } from '../../basics/set-up-error.ts'
import { openStatusSocket, type StatusSocket } from '../../operations/status-socket.ts'
import { agentLife } from '../../operations/status.ts'
import type { StatusSource, Status } from '../../operations/status.ts'
import { Failure } from '../exit-codes.ts'
import { openSystemd, type SystemdService } from '../long-running.ts'
import { version } from '../version.ts'
import type { CurrentIdentity } from './current.ts'

/** Additional time for the cleanup at the end. */
const STOP_MARGIN_MS = 10_000

interface Parts {
  readonly settings: AgentConfiguration
  /** The folder of the status socket. Its mode is 0700. */
  readonly folder: string
  readonly status: StatusSource
  readonly log: Logger
}

/** What operators need: the HTTP server, the status socket and systemd. */
export class Operations implements AsyncDisposable {
  readonly #http: Http | undefined
  readonly #socket: StatusSocket
  readonly #systemd: SystemdService | undefined
  #closed = false

  /** @throws Failure when this process cannot listen on the address of `http` */
  static async open(parts: Parts): Promise<Operations> {
    const http = await openHttpIfWanted(parts)
    const socket = await openStatusSocket(parts)
    const { settings, status, log } = parts
    const stopWithinMs = longestStopMs(settings) + STOP_MARGIN_MS
    const life = () => agentLife(status())
    return new Operations(http, socket, await openSystemd({ life, stopWithinMs: () => stopWithinMs, log }))
  }

  private constructor(http: Http | undefined, socket: StatusSocket, systemd: SystemdService | undefined) {
    this.#http = http
    this.#socket = socket
    this.#systemd = systemd
  }

  stateChanged(): void {
    if (!this.#closed) this.#systemd?.update()
  }

  /** Reloads, and also reports the reload to systemd. */
  async reload(work: () => Promise<void>): Promise<void> {
    // A signal may arrive after the disposal. Another file may already have systemd's descriptor then.
    if (this.#systemd === undefined || this.#closed) await work()
    else await this.#systemd.reload(work)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    this.#systemd?.[Symbol.dispose]()
    await this.#socket[Symbol.asyncDispose]()
    await this.#http?.[Symbol.asyncDispose]()
  }
}

async function openHttpIfWanted({ settings: { http }, status, log }: Parts): Promise<Http | undefined> {
  if (http === undefined) return undefined
  // Loaded only when needed: these modules take a tenth of the agent's start time.
  const { openHttp } = await import('../../operations/http.ts')
  const { agentMetrics } = await import('../../operations/metrics-table.ts')
  try {
    return await openHttp({
      listen: http,
      setting: 'http',
      log,
      metrics: agentMetrics(status),
      readiness: () => readiness(status()),
    })
  } catch (error) {
    throw error instanceof SetUpError ? new Failure(error.message) : error
  }
}

interface StatusParts {
  readonly agent: Agent
  readonly identities: CurrentIdentity
  readonly services: AgentServices
  readonly counters: Counters
  readonly journal: Journal
}

export function statusSource(parts: StatusParts): StatusSource {
  return () => ({
    version,
    pid: process.pid,
    uptimeSeconds: Math.round(process.uptime()),
    agent: parts.identities.current.name,
    gateway: parts.agent.state.gateway,
    engine: parts.services.engine.name,
    connection: connectionOf(parts.agent),
    sessions: sessionsOf(parts),
    output: { ...parts.counters.output, tailBytes: parts.services.tails.used },
    systemRequests: parts.counters.systemRequests,
    processesEnded: parts.counters.processesEnded,
    journalLinesLost: parts.journal.linesLost,
    ordinarySecretNames: Object.fromEntries(parts.services.redactions?.ordinary ?? []),
  })
}

function connectionOf({ state, health, stall, gatewayStopsAt }: Agent): Status['connection'] {
  const { name, since, reconnects } = state
  return {
    state: name,
    since: since.wall.toISOString(),
    reason: 'reason' in state && state.reason !== '' ? state.reason : undefined,
    reconnects,
    health: health && { at: health.at.wall.toISOString(), milliseconds: health.roundTripMs },
    stall: stall && { since: new Date(Date.now() - stall.ms).toISOString(), bytes: stall.bytes },
    gatewayStopsAt: gatewayStopsAt?.toISOString(),
  }
}

function sessionsOf({ services: { slots }, counters }: StatusParts): Status['sessions'] {
  return { running: slots.taken, limit: slots.limit, ...counters.sessions }
}
