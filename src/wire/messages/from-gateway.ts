import {
  DecodeError,
  NO_PAYLOAD,
  type Packet,
  sessionIdOf,
  sessionSpec,
  spec,
  specBytes,
  specText,
  YES,
} from '../packet.ts'
import { decodeEpoch, encodeEpoch, type Epoch } from '../epochs.ts'
import {
  decodeWindowSize,
  encodeWindowSize,
  type GatewayMessage,
  type OpenMessage,
  type SessionId,
} from './message.ts'
import { decodeConnection, encodeConnection, clientFlags, clientFlagsSpec } from './native.ts'
import { decodeSystemRequest } from './system-request.ts'
import { decodeParams, decodeStringMap, encodeParams, encodeStringList, encodeStringMap } from '../params.ts'

// Messages of the gateway (protocol.md 3.4): decoded by the agent, encoded by the embedded gateway.

const type = {
  connected: 'AgentGatewayConnectOK',
  featureFlags: 'GatewayFeatureFlagUpdate',
  open: 'AgentSessionOpen',
  exec: 'AgentExecWriteStdin',
  input: 'AgentTerminalWriteStdin',
  resize: 'AgentTerminalResizeTTY',
  close: 'AgentSessionClose',
  // Our own types. Hoop's agent ignores types that it does not know, and hoop's gateway never sends these.
  draining: 'AgentGatewayDraining',
  pause: 'AgentSessionPause',
  resume: 'AgentSessionResume',
} as const

/**
 * Whether the type belongs to a native client's protocol. This program serves only a few of these protocols.
 */
export function isNativeProxy(type: string): boolean {
  return /^Agent(?:\w+ConnectionWrite|MCPStdioReply)$/.test(type)
}

/** @throws DecodeError when a packet of a known type is malformed */
export function decodeGatewayPacket(packet: Packet): GatewayMessage {
  const sid = sessionIdOf(packet)
  return sid === undefined ? decodeStreamPacket(packet) : decodeSessionPacket(packet, sid)
}

function decodeStreamPacket(packet: Packet): GatewayMessage {
  switch (packet.type) {
    case type.connected:
      return decodeConnected(packet)
    case type.featureFlags:
      return { kind: 'feature-flags', flags: decodeFlags(packet) }
    case type.draining:
      return { kind: 'gateway-draining', stopsAt: decodeTime(packet, spec.stopsAt) }
    default:
      return { kind: 'unsupported', sid: undefined, type: packet.type }
  }
}

/** An epoch of another form, which a newer gateway may send, counts as none. */
function decodeConnected(packet: Packet): GatewayMessage {
  const epoch = decodeEpoch(specText(packet, spec.epoch) ?? '')
  return { kind: 'connected', ...(epoch !== undefined && { epoch }) }
}

/**
 * A client can forge any packet type in its session (protocol.md 0.12). So `decodeStreamPacket` reads
 * messages about the whole stream only from packets without a session id.
 */
function decodeSessionPacket(packet: Packet, sid: SessionId): GatewayMessage {
  switch (packet.type) {
    case type.open:
      return decodeOpen(packet, sid)
    case type.exec:
      return { kind: 'exec', sid, stdin: packet.payload }
    case type.input:
      return { kind: 'input', sid, data: packet.payload }
    case type.resize:
      return { kind: 'resize', sid, ...decodeWindowSize(packet.payload) }
    case type.close:
      return { kind: 'close', sid }
    case type.pause:
      return { kind: 'pause', sid }
    case type.resume:
      return { kind: 'resume', sid }
    default:
      return decodeOther(packet, sid)
  }
}

function decodeOther(packet: Packet, sid: SessionId): GatewayMessage {
  const connection = decodeConnection(packet, 'Agent')
  if (connection !== undefined) return { ...connection, sid }
  const request = decodeSystemRequest(packet)
  if (request !== undefined) return { kind: 'system', sid, request }
  return { kind: isNativeProxy(packet.type) ? 'native-proxy' : 'unsupported', sid, type: packet.type }
}

function decodeOpen(packet: Packet, sid: SessionId): OpenMessage {
  const params = specBytes(packet, spec.connectionParams)
  if (params === undefined) throw new DecodeError(spec.connectionParams, 'missing')
  const clientEnvVars = specBytes(packet, spec.clientEnvVars)
  return {
    kind: 'open',
    sid,
    connectionType: specText(packet, spec.connectionType) ?? '',
    requestPort: specText(packet, spec.requestPort) ?? '',
    params: decodeParams(params),
    clientEnvVars:
      clientEnvVars === undefined ? new Map() : decodeStringMap(clientEnvVars, spec.clientEnvVars),
    ...(specText(packet, spec.wantsTerminal) === YES && { wantsTerminal: true as const }),
    ...clientFlags(packet),
  }
}

function decodeTime(packet: Packet, key: string): Date {
  const time = new Date(specText(packet, key) ?? '')
  if (Number.isNaN(time.getTime())) throw new DecodeError(key, 'no time')
  return time
}

function decodeFlags(packet: Packet): ReadonlyMap<string, boolean> {
  const json = specText(packet, spec.featureFlags) ?? ''
  try {
    const flags = JSON.parse(json) as unknown
    if (typeof flags !== 'object' || flags === null) throw new SyntaxError('not an object')
    return new Map(Object.entries(flags).map(([name, on]) => [name, on === true]))
  } catch {
    throw new DecodeError(spec.featureFlags, 'not a JSON object')
  }
}

/** The embedded gateway never sends `unsupported` or system requests. */
export function encodeGatewayMessage(
  message: Exclude<GatewayMessage, { kind: 'unsupported' | 'native-proxy' | 'system' }>,
): Packet {
  switch (message.kind) {
    case 'connected':
      return { type: type.connected, spec: epochSpec(message.epoch), payload: NO_PAYLOAD }
    case 'feature-flags':
      return {
        type: type.featureFlags,
        spec: { [spec.featureFlags]: flagsJson(message.flags) },
        payload: NO_PAYLOAD,
      }
    case 'gateway-draining':
      return {
        type: type.draining,
        spec: { [spec.stopsAt]: Buffer.from(message.stopsAt.toISOString()) },
        payload: NO_PAYLOAD,
      }
    case 'open':
      return encodeOpen(message)
    case 'exec':
      return { type: type.exec, spec: sessionSpec(message.sid), payload: message.stdin }
    case 'input':
      return { type: type.input, spec: sessionSpec(message.sid), payload: message.data }
    case 'resize':
      return {
        type: type.resize,
        spec: sessionSpec(message.sid),
        payload: encodeWindowSize(message),
      }
    case 'close':
    case 'pause':
    case 'resume':
      return { type: type[message.kind], spec: sessionSpec(message.sid), payload: NO_PAYLOAD }
    case 'connection-data':
    case 'connection-close':
    case 'connection-end':
    case 'connection-pause':
    case 'connection-resume':
      return encodeConnection(message, 'Agent', sessionSpec(message.sid))
  }
}

function epochSpec(epoch: Epoch | undefined): Packet['spec'] {
  return epoch === undefined ? {} : { [spec.epoch]: Buffer.from(encodeEpoch(epoch)) }
}

function encodeOpen(message: OpenMessage): Packet {
  const { params, clientEnvVars } = message
  return {
    type: type.open,
    spec: {
      ...sessionSpec(message.sid),
      [spec.connectionType]: Buffer.from(message.connectionType),
      [spec.connectionParams]: encodeParams(params),
      ...(params.clientArgs.length > 0 && { [spec.clientArgs]: encodeStringList(params.clientArgs) }),
      ...(clientEnvVars.size > 0 && { [spec.clientEnvVars]: encodeStringMap(clientEnvVars) }),
      ...(message.wantsTerminal === true && { [spec.wantsTerminal]: Buffer.from(YES) }),
      ...clientFlagsSpec(message),
    },
    payload: NO_PAYLOAD,
  }
}

function flagsJson(flags: ReadonlyMap<string, boolean>): Buffer {
  return Buffer.from(JSON.stringify(Object.fromEntries(flags)))
}
