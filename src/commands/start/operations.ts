import type { Logger } from '../../basics/logger.ts'
import type { AgentConfiguration } from '../../config.ts'
import { readiness } from '../../operations/health.ts'
import { type Http, ListenError } from '../../operations/http.ts'
import { openStatusSocket, type StatusSocket } from '../../operations/status-socket.ts'
import { agentLife, type StatusSource } from '../../operations/status.ts'
import { longestStopMs } from '../../agent/connection/timing.ts'
import { Failure } from '../failure.ts'
import { openSystemd, type SystemdService } from '../systemd.ts'

/** Time for the cleanup at the end. */
const STOP_MARGIN_MS = 10_000

interface Parts {
  readonly settings: AgentConfiguration
  /** The folder of the status socket, mode 0700. */
  readonly folder: string
  readonly status: StatusSource
  readonly log: Logger
}

/** The interfaces for operators: http, the status socket, systemd. */
export class Operations implements AsyncDisposable {
  readonly #http: Http | undefined
  readonly #socket: StatusSocket
  readonly #systemd: SystemdService | undefined
  #closed = false

  /** @throws Failure when it cannot listen on the address of `http` */
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

  /** Reloads, and tells systemd. */
  async reload(work: () => Promise<void>): Promise<void> {
    // A signal may come at the very end, when the descriptor may already belong to something else.
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
  // Loaded only when it is needed: with the metrics it takes a tenth of the agent's start.
  const { openHttp } = await import('../../operations/http.ts')
  const { agentMetrics } = await import('../../operations/metrics-table.ts')
  try {
    return await openHttp({
      ...{ listen: http, log },
      metrics: agentMetrics(status),
      readiness: () => readiness(status()),
    })
  } catch (error) {
    throw error instanceof ListenError ? new Failure(error.message) : error
  }
}
