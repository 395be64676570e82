import { sumOfCounts } from '../../basics/text/units.ts'
import type {
  AgentMessage,
  AgentOutbound,
  ClosedMessage,
  OpenedMessage,
  SessionId,
  ShippedLine,
} from './message.ts'
import { decodeGuardrailsInfo, encodeGuardrailsInfo } from './guardrails-info.ts'
import { decodeMaskedOutput, encodeMaskedOutput, type MaskedOutput } from './masking-info.ts'
import { decodeConnection, encodeConnection } from './native.ts'
import {
  DecodeError,
  KEEPALIVE,
  NO_PAYLOAD,
  type Packet,
  sessionIdOf,
  sessionSpec,
  spec,
  specBytes,
  specText,
  YES,
} from '../packet.ts'
import { encodeSystemReply } from './system-request.ts'

// Messages of the agent (protocol.md 3.5): encoded by the agent, decoded by the embedded gateway.

const type = {
  oldKeepalive: 'KeepAlive',
  draining: 'AgentDraining',
  opened: 'ClientSessionOpenOK',
  stdout: 'ClientWriteStdout',
  stderr: 'ClientWriteStderr',
  closed: 'ClientSessionClose',
} as const

export function encodeAgentMessage(message: AgentOutbound): Packet {
  switch (message.kind) {
    case 'keepalive':
      return KEEPALIVE
    case 'draining':
      return { type: type.draining, spec: {}, payload: NO_PAYLOAD }
    case 'opened':
      return encodeOpened(message)
    case 'stdout':
    case 'stderr':
      return {
        type: type[message.kind],
        spec: { ...sessionSpec(message.sid), ...maskingSpec(message) },
        payload: message.data,
      }
    case 'closed':
      return encodeClosed(message)
    case 'connection-data':
    case 'connection-close':
    case 'connection-end':
    case 'connection-pause':
    case 'connection-resume':
      return encodeConnection(message, 'Client', sessionSpec(message.sid))
    case 'system-reply':
      return encodeSystemReply(message.sid, message.reply)
    case 'logs':
      return encodeLogs(message.lines)
  }
}

function encodeOpened(message: OpenedMessage): Packet {
  return {
    type: type.opened,
    spec: {
      ...sessionSpec(message.sid),
      [spec.connectionType]: Buffer.from(message.connectionType),
      [spec.requestPort]: Buffer.from(message.requestPort),
      [spec.command]: Buffer.from(message.command),
      ...(message.halfCloses === true && { [spec.agentHalfCloses]: Buffer.from(YES) }),
    },
    payload: NO_PAYLOAD,
  }
}

function encodeClosed(message: ClosedMessage): Packet {
  return {
    type: type.closed,
    spec: {
      ...sessionSpec(message.sid),
      ...(message.exitCode !== undefined && { [spec.exitCode]: Buffer.from(String(message.exitCode)) }),
      ...count(spec.truncatedBytes, message.truncatedBytes),
      ...count(spec.redactedBytes, message.redactedBytes),
      ...maskingSpec(message),
      ...guardrailsSpec(message),
      ...(message.endReason !== undefined && { [spec.endReason]: Buffer.from(message.endReason) }),
    },
    payload: Buffer.from(message.message),
  }
}

function guardrailsSpec({ guardrails = [] }: ClosedMessage): Record<string, Buffer> {
  return guardrails.length === 0 ? {} : { [spec.guardrailsInfo]: encodeGuardrailsInfo(guardrails) }
}

function maskingSpec({ masked }: { readonly masked?: MaskedOutput }): Record<string, Buffer> {
  return masked === undefined ? {} : { [spec.maskingInfo]: encodeMaskedOutput(masked) }
}

/** Never throws: the gateway must survive anything that an agent sends. */
export function decodeAgentPacket(packet: Packet): AgentMessage {
  const sid = sessionIdOf(packet)
  if (packet.type === KEEPALIVE.type || packet.type === type.oldKeepalive) return { kind: 'keepalive' }
  if (packet.type === type.draining) return { kind: 'draining' }
  if (sid === undefined) return { kind: 'unsupported', sid, type: packet.type }
  switch (packet.type) {
    case type.opened:
      return decodeOpened(packet, sid)
    case type.stdout:
      return { kind: 'stdout', sid, data: packet.payload, ...maskedIn(packet) }
    case type.stderr:
      return { kind: 'stderr', sid, data: packet.payload, ...maskedIn(packet) }
    case type.closed:
      return decodeClosed(packet, sid)
    default:
      return connectionIn(packet, sid) ?? { kind: 'unsupported', sid, type: packet.type }
  }
}

function connectionIn(packet: Packet, sid: SessionId): AgentMessage | undefined {
  try {
    const message = decodeConnection(packet, 'Client')
    return message && { ...message, sid }
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    return undefined
  }
}

function decodeOpened(packet: Packet, sid: SessionId): OpenedMessage {
  return {
    kind: 'opened',
    sid,
    connectionType: specText(packet, spec.connectionType) ?? '',
    requestPort: specText(packet, spec.requestPort) ?? '',
    command: specText(packet, spec.command) ?? '',
    ...(specText(packet, spec.agentHalfCloses) === YES && { halfCloses: true as const }),
  }
}

function decodeClosed(packet: Packet, sid: SessionId): ClosedMessage {
  const guardrails = decodeGuardrailsInfo(specBytes(packet, spec.guardrailsInfo))
  return {
    kind: 'closed',
    sid,
    exitCode: exitCodeIn(packet),
    message: packet.payload.toString('utf8'),
    truncatedBytes: countIn(packet, spec.truncatedBytes),
    redactedBytes: countIn(packet, spec.redactedBytes),
    ...maskedIn(packet),
    ...(guardrails.length > 0 && { guardrails }),
    ...endReasonIn(packet),
  }
}

/** Ignores a value that is not one word. */
function endReasonIn(packet: Packet): { readonly endReason?: string } {
  const endReason = specText(packet, spec.endReason)
  return endReason !== undefined && /^[a-z-]{1,40}$/.test(endReason) ? { endReason } : {}
}

function maskedIn(packet: Packet): { readonly masked?: MaskedOutput } {
  const value = specBytes(packet, spec.maskingInfo)
  return value === undefined ? {} : { masked: decodeMaskedOutput(value) }
}

/** The key is left out when the count is 0. */
function count(key: string, bytes: number): Packet['spec'] {
  return bytes > 0 ? { [key]: Buffer.from(String(sumOfCounts(bytes))) } : {}
}

/** Returns 0 for a text that is not a count, and at most 2^53 - 1. */
function countIn(packet: Packet, key: string): number {
  const text = specText(packet, key)
  return text !== undefined && /^\+?\d+$/.test(text) ? sumOfCounts(Number(text)) : 0
}

/** Exit codes are 32 bits wide at most. */
function exitCodeIn(packet: Packet): number | undefined {
  const text = specText(packet, spec.exitCode)
  return text !== undefined && /^[+-]?\d{1,10}$/.test(text) ? Number(text) : undefined
}

/**
 * `ClientAgentLogs` (protocol.md 3.7): a JSON array. The packet has no session id. The gateway drops a packet
 * of more than 1 MiB.
 */
function encodeLogs(lines: readonly ShippedLine[]): Packet {
  return { type: 'ClientAgentLogs', spec: {}, payload: Buffer.from(JSON.stringify(lines.map(entryOf))) }
}

function entryOf({ time, level, message, fields }: ShippedLine): object {
  return {
    timestamp: nanoseconds(time),
    level,
    message,
    ...(Object.keys(fields).length > 0 && { fields }),
  }
}

/**
 * Formats a time as RFC 3339 with nine digits after the second. The clock has only milliseconds, so the last
 * six are 0.
 */
function nanoseconds(time: Date): string {
  return time.toISOString().replace('Z', '000000Z')
}
