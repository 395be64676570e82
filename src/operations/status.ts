import type { Logger } from '../basics/logger.ts'
import { printableJson } from '../basics/text/printable.ts'

/** What an agent reports over its socket, as metrics, and to the log on SIGUSR2. Holds no secret. */
export interface Status {
  readonly version: string
  readonly pid: number
  /** Seconds since the program began. */
  readonly uptimeSeconds: number
  /** The agent's name at the gateway; empty in old credentials. */
  readonly agent: string
  /** `host:port` */
  readonly gateway: string
  readonly engine: 'posix' | 'portable'
  readonly connection: {
    readonly state: string
    /** ISO 8601. */
    readonly since: string
    /** Why it waits; undefined in states that have no reason. */
    readonly reason: string | undefined
    /** Streams that were opened after the first one. */
    readonly reconnects: number
    /** The last answered health check; undefined before the first. */
    readonly health: { readonly at: string; readonly milliseconds: number } | undefined
  }
  readonly sessions: {
    readonly running: number
    readonly limit: number
    readonly opened: number
    readonly started: number
    /** Ended executions by outcome (`exited`, `signaled`, `failed`, `refused`, `not-started`). */
    readonly outcomes: Readonly<Record<string, number>>
    /** Executions that the agent ended, by reason (`timeout`, `gateway-lost`, ...). */
    readonly reasons: Readonly<Record<string, number>>
    readonly confirmed: number
    readonly unconfirmed: number
  }
  readonly output: {
    readonly bytesRead: number
    readonly bytesSent: number
    readonly bytesLeftOut: number
    readonly bytesRedacted: number
    /** Memory for the tails of capped outputs right now. */
    readonly tailBytes: number
  }
  /** What the gateway asked for itself (hooks, health checks), by the same outcomes; counted only here. */
  readonly systemRequests: Readonly<Record<string, number>>
  /** Processes that commands had left behind. */
  readonly processesEnded: number
  /** Journal lines that could not be written. */
  readonly journalLinesLost: number
}

export type StatusSource = () => Status

/** For SIGUSR2: logs everything that the agent knows about itself as one line. */
export function dumpStatus(log: Logger, status: StatusSource): void {
  log.info({ status: status() }, 'status')
}

/** One line. Undefined becomes null, since a field that is always there is easier to read. */
export function formatStatus(status: Status): string {
  return printableJson(status)
}
