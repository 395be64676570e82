/** The gateway's UUID of one client's conversation. */
export type SessionId = string & { readonly __brand: 'SessionId' }

/** `Packet` of proto/transport.proto. */
export interface Packet {
  readonly type: string
  readonly spec: Readonly<Record<string, Buffer>>
  readonly payload: Buffer
}

/** Maximum message in bytes (protocol.md 1.2). A larger one ends the stream with all its sessions. */
export const MAX_MESSAGE_BYTES = 17 * 1024 * 1024

/** Keys of `spec` (protocol.md 3.3). */
export const spec = {
  sessionId: 'gateway.session_id',
  connectionType: 'gateway.connection_type',
  connectionParams: 'agent.connection_params',
  clientEnvVars: 'terminal.envvars',
  clientArgs: 'terminal.args',
  accessDuration: 'jit.timeout',
  requestPort: 'client.request_port',
  command: 'client.command',
  exitCode: 'client.exit_code',
  truncatedBytes: 'client.truncated_bytes',
  // `redactedBytes` and `endReason` are our own keys.
  redactedBytes: 'client.redacted_bytes',
  endReason: 'client.end_reason',
  maskingInfo: 'datamasking.info',
  guardrailsInfo: 'client.guardrails_info',
  featureFlags: 'feature-flags',
  // Our own keys. Hoop's gateway passes on unknown keys of a client's open packet, and hoop's agent ignores
  // them.
  wantsTerminal: 'client.wants_terminal',
  stopsAt: 'gateway.stops_at',
  epoch: 'gateway.epoch',
  connectionId: 'client.connection_id',
  serverConnect: 'tcp.server_connect',
  // Our own key: the client pauses a single connection when the agent asks for a pause.
  pausesConnections: 'client.pauses_connections',
  // Our own keys: the client, or the agent, can close one direction of a native connection.
  clientHalfCloses: 'client.half_closes',
  agentHalfCloses: 'agent.half_closes',
  // Our own key of a close: the connection was not closed, but reset.
  reset: 'tcp.reset',
  // Our own key. Hoop's gateway may replace a packet that has `client.guardrails_info`. It is unknown whether
  // it also does this for MySQL.
  refusedBy: 'client.refused_by',
} as const

/** Value of a key that says yes by its presence. */
export const YES = '1'

export const NO_PAYLOAD = Buffer.alloc(0)

/** Approximate memory of a packet besides its bytes. Queues of packets count it, because a payload may be empty. */
export const PACKET_OVERHEAD_BYTES = 256
/** Approximate memory of an entry of `spec` besides its bytes. */
const ENTRY_OVERHEAD_BYTES = 128

/** Returns the approximate memory of a packet. */
export function memoryOf({ type, payload, spec }: Packet): number {
  return Object.entries(spec).reduce(
    (sum, [key, { length }]) => sum + key.length + length + ENTRY_OVERHEAD_BYTES,
    type.length + payload.length + PACKET_OVERHEAD_BYTES,
  )
}

/** Sent so that proxies keep the connection open. The gateway ignores it (protocol.md 3.1). */
export const KEEPALIVE: Packet = { type: 'GatewayKeepAlive', spec: {}, payload: NO_PAYLOAD }

/** Reads own keys only: `__proto__` is data. */
export function specText(packet: Packet, key: string): string | undefined {
  return specBytes(packet, key)?.toString('utf8')
}

export function specBytes(packet: Packet, key: string): Buffer | undefined {
  return Object.hasOwn(packet.spec, key) ? packet.spec[key] : undefined
}

/** Returns undefined for packets about the stream itself. */
export function sessionIdOf(packet: Packet): SessionId | undefined {
  const text = specText(packet, spec.sessionId)
  return text === undefined || text === '' ? undefined : (text as SessionId)
}

export function sessionSpec(sid: SessionId): Record<string, Buffer> {
  const session: Record<string, Buffer> = {}
  session[spec.sessionId] = Buffer.from(sid)
  return session
}

/**
 * The other side sent bytes that cannot be decoded. The session is closed with 254. If the packet has no
 * session id, the error is only logged. The message names the place, never the content.
 */
export class DecodeError extends Error {
  override readonly name = 'DecodeError'
  /** A spec key, `payload`, or a path inside a gob value such as `EnvVars["envvar:X"]`. */
  readonly field: string

  constructor(field: string, reason: string) {
    super(`${field}: ${reason}`)
    this.field = field
  }
}
