import type { WindowSize } from '../../basics/window-size.ts'
import { decodeAgentPacket } from './from-agent.ts'
import { type AgentMessage, decodeWindowSize, encodeWindowSize, type SessionId } from './message.ts'
import { KEEPALIVE, NO_PAYLOAD, sessionSpec, spec, specBytes, specText, YES, type Packet } from '../packet.ts'
import { decodeStringList, decodeStringMap, encodeStringList, encodeStringMap } from '../params.ts'
import {
  decodeConnection,
  clientFlags,
  clientFlagsSpec,
  encodeConnection,
  type ConnectionMessage,
} from './native.ts'

// Messages between a client (hoop's command line or ours) and a gateway (protocol.md 4.2 and 4.3). The
// gateway passes a client's packets on to the agent with the same types, and adds the session id.

/** Our own header: `true` makes the gateway run the script after the approval. Hoop ignores this header. */
export const WHEN_APPROVED = 'when-approved'
/** Our own header: the reason of the request, as `encodeURIComponent` writes it. Hoop ignores this header. */
export const REASON_HEADER = 'request-reason'

const type = {
  open: 'AgentSessionOpen',
  exec: 'AgentExecWriteStdin',
  input: 'AgentTerminalWriteStdin',
  resize: 'AgentTerminalResizeTTY',
} as const

export type ClientMessage =
  | { readonly kind: 'keepalive' }
  | ClientOpenMessage
  | { readonly kind: 'exec'; readonly stdin: Buffer }
  | { readonly kind: 'input'; readonly data: Buffer }
  | ({ readonly kind: 'resize' } & WindowSize)
  | ConnectionMessage
  | { readonly kind: 'unsupported'; readonly type: string }

interface ClientOpenMessage {
  readonly kind: 'open'
  /** The script of an execution, for the record. The agent gets the script with `exec`. */
  readonly input: Buffer
  readonly clientArgs: readonly string[]
  /** Maps `envvar:NAME` or `filesystem:NAME` to the value in base64. */
  readonly clientEnvVars: ReadonlyMap<string, string>
  /** For `connect`: opens a terminal on a connection of any type. */
  readonly wantsTerminal?: true
  /** For `connect` to a port: the client pauses a single connection when the agent asks for a pause. */
  readonly pausesConnections?: true
  /** For `connect` to a port: the client can end one direction of a TCP connection. */
  readonly halfCloses?: true
  /** For `connect` with an approval: how long the access lasts, as Go writes durations. */
  readonly accessDuration?: string
}

export function encodeClientMessage(message: Exclude<ClientMessage, { kind: 'unsupported' }>): Packet {
  switch (message.kind) {
    case 'keepalive':
      return KEEPALIVE
    case 'open':
      return { type: type.open, spec: openSpec(message), payload: message.input }
    case 'exec':
      return { type: type.exec, spec: {}, payload: message.stdin }
    case 'input':
      return { type: type.input, spec: {}, payload: message.data }
    case 'resize':
      return { type: type.resize, spec: {}, payload: encodeWindowSize(message) }
    case 'connection-data':
    case 'connection-close':
    case 'connection-end':
    case 'connection-pause':
    case 'connection-resume':
      return encodeConnection(message, 'Agent', {})
  }
}

function openSpec({
  clientArgs,
  clientEnvVars,
  wantsTerminal,
  accessDuration,
  ...flags
}: ClientOpenMessage): Packet['spec'] {
  return {
    ...(wantsTerminal === true && { [spec.wantsTerminal]: Buffer.from(YES) }),
    ...clientFlagsSpec(flags),
    ...(accessDuration !== undefined && { [spec.accessDuration]: Buffer.from(accessDuration) }),
    ...(clientArgs.length > 0 && { [spec.clientArgs]: encodeStringList(clientArgs) }),
    ...(clientEnvVars.size > 0 && { [spec.clientEnvVars]: encodeStringMap(clientEnvVars) }),
  }
}

/** @throws DecodeError when a packet of a known type is malformed */
export function decodeClientPacket(packet: Packet): ClientMessage {
  switch (packet.type) {
    case KEEPALIVE.type:
      return { kind: 'keepalive' }
    case type.open:
      return decodeOpen(packet)
    case type.exec:
      return { kind: 'exec', stdin: packet.payload }
    case type.input:
      return { kind: 'input', data: packet.payload }
    case type.resize:
      return { kind: 'resize', ...decodeWindowSize(packet.payload) }
    default:
      return decodeConnection(packet, 'Agent') ?? { kind: 'unsupported', type: packet.type }
  }
}

function decodeOpen(packet: Packet): ClientOpenMessage {
  const args = specBytes(packet, spec.clientArgs)
  const variables = specBytes(packet, spec.clientEnvVars)
  const accessDuration = specText(packet, spec.accessDuration)
  return {
    kind: 'open',
    input: packet.payload,
    clientArgs: args === undefined ? [] : decodeStringList(args, spec.clientArgs),
    clientEnvVars: variables === undefined ? new Map() : decodeStringMap(variables, spec.clientEnvVars),
    ...(specText(packet, spec.wantsTerminal) === YES && { wantsTerminal: true as const }),
    ...clientFlags(packet),
    ...(accessDuration !== undefined && { accessDuration }),
  }
}

/**
 * Messages to a client. The agent sends some of them. Only a gateway sends those from `waiting-approval` to
 * `timed-out`, while it waits for people or agents.
 */
export type ToClientMessage =
  | AgentMessage
  | { readonly kind: 'waiting-approval'; readonly sessionId: string; readonly url: string }
  | { readonly kind: 'approved' }
  | { readonly kind: 'agent-offline' }
  | { readonly kind: 'timed-out' }

const toClient = {
  waitingApproval: 'ClientSessionOpenWaitingApproval',
  approved: 'ClientSessionOpenApproveOK',
} as const

/** Encodes the state of an approval for clients that wait for it (protocol.md 4.7). */
export function encodeApproval(
  sid: SessionId,
  state: { readonly kind: 'waiting'; readonly url: string } | { readonly kind: 'approved' },
): Packet {
  const common = { spec: sessionSpec(sid) }
  return state.kind === 'waiting'
    ? { type: toClient.waitingApproval, ...common, payload: Buffer.from(state.url) }
    : { type: toClient.approved, ...common, payload: NO_PAYLOAD }
}

/** Never throws. */
export function decodeToClient(packet: Packet): ToClientMessage {
  switch (packet.type) {
    case toClient.waitingApproval: {
      const sessionId = specText(packet, spec.sessionId) ?? ''
      return { kind: 'waiting-approval', sessionId, url: packet.payload.toString() }
    }
    case toClient.approved:
      return { kind: 'approved' }
    case 'ClientSessionOpenAgentOffline':
      return { kind: 'agent-offline' }
    case 'ClientSessionOpenTimeout':
      return { kind: 'timed-out' }
    default:
      return decodeAgentPacket(packet)
  }
}
