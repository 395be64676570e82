import * as v from 'valibot'
import type { Logger } from '../basics/logger.ts'
import { oneLine, printableJson } from '../basics/text/printable.ts'
import type { Life } from './systemd.ts'

const Count = v.number()
const Counts = v.record(v.string(), Count)

/** Reads `null` on the wire as undefined. */
function optional<T>(schema: v.GenericSchema<unknown, T>) {
  return v.pipe(
    v.nullable(schema),
    v.transform((value) => value ?? undefined),
  )
}

/** Reads agents of any version. Ignores unknown fields; missing fields are an error. */
const Reported = v.object({
  version: v.string(),
  pid: Count,
  /** Seconds since the program began. */
  uptimeSeconds: Count,
  /** The agent's name at the gateway; empty in old credentials. */
  agent: v.string(),
  /** `host:port` */
  gateway: v.string(),
  engine: v.picklist(['posix', 'portable']),
  connection: v.object({
    state: v.string(),
    /** ISO 8601. */
    since: v.string(),
    /** Why the agent waits. */
    reason: optional(v.string()),
    /** Streams that were opened after the first one. */
    reconnects: Count,
    /** The last answered health check. */
    health: optional(v.object({ at: v.string(), milliseconds: Count })),
    /** Since when the gateway accepts no data, and the waiting bytes. Older agents do not report it. */
    stall: v.optional(optional(v.object({ since: v.string(), bytes: Count }))),
    /** When the gateway stops: running commands may continue until then. Older agents do not report it. */
    gatewayStopsAt: v.optional(optional(v.string())),
  }),
  sessions: v.object({
    running: Count,
    limit: Count,
    opened: Count,
    started: Count,
    /** Ended executions by outcome (`exited`, `signaled`, `failed`, `refused`, `not-started`). */
    outcomes: Counts,
    /** Executions that the agent ended, by reason (`timeout`, `gateway-lost`, ...). */
    reasons: Counts,
    /** Executions that a guardrail rule has stopped or refused, by rule. Older agents do not report them. */
    guardrails: v.optional(Counts, {}),
    confirmed: Count,
    unconfirmed: Count,
  }),
  output: v.object({
    bytesRead: Count,
    bytesSent: Count,
    bytesLeftOut: Count,
    bytesRedacted: Count,
    /** Memory that the tails of capped outputs use now. */
    tailBytes: Count,
  }),
  /** Requests of the gateway itself (hooks, health checks), by the same outcomes; not in `sessions`. */
  systemRequests: Counts,
  /** Processes that commands had left behind. */
  processesEnded: Count,
  /** Journal lines that could not be written. */
  journalLinesLost: Count,
  /**
   * Names of secrets whose values look ordinary, by connection. Older agents do not report them. The field
   * does not end with `secrets`, because the log hides such fields.
   */
  ordinarySecretNames: v.optional(v.record(v.string(), v.array(v.string())), {}),
})

/** The report of an agent, for its socket, its metrics, and the log on SIGUSR2. Holds no secret. */
export type Status = Readonly<v.InferOutput<typeof Reported>>

export type StatusSource = () => Status

/** For SIGUSR2. */
export function dumpStatus(log: Logger, status: StatusSource): void {
  log.info({ status: status() }, 'status')
}

/** Writes undefined as null, because fixed fields are easier to read. */
export function formatStatus(status: Status): string {
  return printableJson(status)
}

/** Returns undefined when the line is not a status of an agent. */
export function parseStatus(line: string): Status | undefined {
  try {
    const result = v.safeParse(Reported, JSON.parse(line))
    return result.success ? result.output : undefined
  } catch {
    return undefined
  }
}

export const CONNECTION_STATES = [
  'idle',
  'connecting',
  'polling',
  'serving',
  'waiting',
  'conflict',
  'refused',
  'draining',
  'stopped',
] as const

/**
 * Whether executions can reach this agent. With mode=embedded, an agent is `polling` while no session waits
 * for it, and connects when one does.
 */
export function isReady({ connection: { state } }: Status): boolean {
  return state === 'serving' || state === 'polling'
}

/** `refused: the gateway refuses this key`. */
export function connectionWords({ connection }: Status): string {
  const { state, reason = '' } = connection
  const why = [reason, ...gatewayWords(connection)].filter((text) => text !== '').join(', ')
  return oneLine(why === '' ? state : `${state}: ${why}`)
}

/** Describes what is unusual about the gateway of an open stream. */
function gatewayWords({ stall, gatewayStopsAt }: Status['connection']): string[] {
  return [
    ...(gatewayStopsAt === undefined
      ? []
      : [`the gateway is stopping: running commands can finish until ${gatewayStopsAt}`]),
    ...(stall === undefined
      ? []
      : [`the gateway has accepted no output since ${stall.since}; ${stall.bytes} bytes wait`]),
  ]
}

/** `serving 127.0.0.1:8010 as local, 2 of 100 sessions`. */
export function activityWords(status: Status): string {
  const { connection, gateway, agent, sessions } = status
  const count = [`${sessions.running} of ${sessions.limit} sessions`, ...gatewayWords(connection)].join('; ')
  switch (connection.state) {
    case 'serving':
      return oneLine(`serving ${gateway}${agent === '' ? '' : ` as ${agent}`}, ${count}`)
    case 'connecting':
      return oneLine(`connecting to ${gateway}`)
    case 'draining':
      return oneLine(`draining, ${count}`)
    default:
      return connectionWords(status)
  }
}

/** An agent is ready when it has begun to connect, so that its unit starts without a reachable gateway. */
export function agentLife(status: Status): Life {
  const { state } = status.connection
  const isStopping = state === 'draining' || state === 'stopped'
  return { isReady: state !== 'idle', isStopping, words: activityWords(status) }
}
