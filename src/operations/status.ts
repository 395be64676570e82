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

/** The report of an agent of any version. Unknown fields are ignored, and missing fields are an error. */
const Reported = v.object({
  version: v.string(),
  pid: Count,
  /** Seconds since the program began. */
  uptimeSeconds: Count,
  /** The agent's name at the gateway. It is empty if an old credential has no name. */
  agent: v.string(),
  /** Address in the form `host:port`. */
  gateway: v.string(),
  engine: v.picklist(['posix', 'portable']),
  connection: v.object({
    state: v.string(),
    /** Time at which the state began, as ISO 8601. */
    since: v.string(),
    /** Why the agent waits. */
    reason: optional(v.string()),
    /** Number of streams that were opened after the first one. */
    reconnects: Count,
    /** The last answered health check. */
    health: optional(v.object({ at: v.string(), milliseconds: Count })),
    /** Set while the gateway accepts no data: since when, and how many bytes wait. Older agents lack it. */
    stall: v.optional(optional(v.object({ since: v.string(), bytes: Count }))),
    /** Time until which commands may run while the gateway stops. Older agents do not report it. */
    gatewayStopsAt: v.optional(optional(v.string())),
  }),
  sessions: v.object({
    running: Count,
    limit: Count,
    opened: Count,
    started: Count,
    /** Number of ended executions per outcome (`exited`, `signaled`, `failed`, `refused`, `not-started`). */
    outcomes: Counts,
    /** Number of executions that the agent has ended, per reason (`timeout`, `gateway-lost`, ...). */
    reasons: Counts,
    /** Number of executions that each guardrail rule has stopped or refused. Older agents lack it. */
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
  /** Number of the gateway's own requests (hooks, health checks) per outcome. `sessions` leaves them out. */
  systemRequests: Counts,
  /** Number of processes that commands had left and that the agent has ended. */
  processesEnded: Count,
  /** Number of journal lines that could not be written. */
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

/** Logs the status. The signal SIGUSR2 asks for this. */
export function dumpStatus(log: Logger, status: StatusSource): void {
  log.info({ status: status() }, 'status')
}

/** Returns JSON. Undefined becomes null, so that a status always has the same fields. */
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
 * Tests if executions can reach this agent. With mode=embedded, an agent is `polling` while no session waits
 * for the agent. It connects as soon as a session waits.
 */
export function isReady({ connection: { state } }: Status): boolean {
  return state === 'serving' || state === 'polling'
}

/** Returns a text like `refused: the gateway refuses this key`. */
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

/** Returns a text like `serving 127.0.0.1:8010 as local, 2 of 100 sessions`. */
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

/** Reports ready as soon as the agent begins to connect: its unit must also start without a gateway. */
export function agentLife(status: Status): Life {
  const { state } = status.connection
  const isStopping = state === 'draining' || state === 'stopped'
  return { isReady: state !== 'idle', isStopping, words: activityWords(status) }
}
