import { DecodeError, NO_PAYLOAD, type Packet, spec, specBytes, specText, YES } from '../packet.ts'
import { decodeMaskedOutput, encodeMaskedOutput, type MaskedOutput } from './masking-info.ts'

// Connections of native clients (protocol.md 4.8). A session can have many, each with an id that the client
// chooses. The packet types of the two directions differ only in their first word.

const NATIVE_PROTOCOLS = ['tcp', 'postgres', 'mysql'] as const
export type NativeProtocolName = (typeof NATIVE_PROTOCOLS)[number]

const WRITES: Readonly<Record<NativeProtocolName, string>> = {
  tcp: 'TCPConnectionWrite',
  postgres: 'PGConnectionWrite',
  mysql: 'MySQLConnectionWrite',
}
const CLOSES = { Agent: 'AgentCloseTCPConnection', Client: 'ClientTCPConnectionClose' } as const
// Our own types. Hoop's gateway passes these packets on. Hoop's agent and command line ignore unknown types.
const PAUSE = 'ConnectionPause'
const RESUME = 'ConnectionResume'
const END = 'ConnectionEnd'

/** Maximum length of a connection's id. Hoop's command line uses numbers; its SSH forwarding adds letters. */
const MAX_ID_BYTES = 128

/** The first word of a packet's type. */
type Receiver = keyof typeof CLOSES

/** A message about one connection of a native client, in either direction. */
export type ConnectionMessage =
  | ConnectionData
  | ConnectionClose
  /**
   * Our own message: no more bytes of the sender follow, but the other direction goes on. Only for TCP, and only
   * if the receiver has said that it knows this message.
   */
  | { readonly kind: 'connection-end'; readonly connectionId: string }
  /** Our own message: the receiver must send no more bytes of the connection until `connection-resume`. */
  | { readonly kind: 'connection-pause' | 'connection-resume'; readonly connectionId: string }

interface ConnectionClose {
  readonly kind: 'connection-close'
  readonly connectionId: string
  /** Our own field, only for TCP: the connection was lost. Without it, all bytes have arrived. */
  readonly isReset?: true
}

interface ConnectionData {
  readonly kind: 'connection-data'
  readonly connectionId: string
  readonly protocol: NativeProtocolName
  readonly data: Buffer
  /** Set in the packet that only opens a TCP connection. */
  readonly isDial?: true
  /** The broken rules that made the agent refuse a statement. The payload is then the text of the refusal. */
  readonly guardrailsInfo?: Buffer
  /** What was masked since the last packet that had this field. */
  readonly masked?: MaskedOutput
}

export function isNativeProtocol(type: string): type is NativeProtocolName {
  return (NATIVE_PROTOCOLS as readonly string[]).includes(type)
}

type Kind = Exclude<ConnectionMessage['kind'], 'connection-data'>

/**
 * Maps each packet type of native connections to its kind. For packets with data, the kind is the protocol's
 * name.
 */
function typesOf(receiver: Receiver): ReadonlyMap<string, Kind | NativeProtocolName> {
  return new Map<string, Kind | NativeProtocolName>([
    [CLOSES[receiver], 'connection-close'],
    [receiver + PAUSE, 'connection-pause'],
    [receiver + RESUME, 'connection-resume'],
    [receiver + END, 'connection-end'],
    ...NATIVE_PROTOCOLS.map((name) => [receiver + WRITES[name], name] as const),
  ])
}

const TYPES: Readonly<Record<Receiver, ReturnType<typeof typesOf>>> = {
  Agent: typesOf('Agent'),
  Client: typesOf('Client'),
}

/**
 * Returns undefined for packets that are not about a native connection.
 * @throws DecodeError when the id is missing or too long
 */
export function decodeConnection(packet: Packet, receiver: Receiver): ConnectionMessage | undefined {
  const found = TYPES[receiver].get(packet.type)
  if (found === undefined) return undefined
  const connectionId = idIn(packet)
  if (isNativeProtocol(found)) return decodeData(packet, connectionId, found)
  const isReset = found === 'connection-close' && specText(packet, spec.reset) === YES
  return isReset ? { kind: found, connectionId, isReset } : { kind: found, connectionId }
}

function decodeData(packet: Packet, connectionId: string, protocol: NativeProtocolName): ConnectionData {
  const guardrailsInfo = specBytes(packet, infoKey(protocol))
  const masked = specBytes(packet, spec.maskingInfo)
  const data = { kind: 'connection-data', connectionId, protocol, data: packet.payload } as const
  const isDial = specBytes(packet, spec.serverConnect) !== undefined
  // Spreads cost more than the rest of this function, and few packets need them.
  if (!isDial && guardrailsInfo === undefined && masked === undefined) return data
  return {
    ...data,
    ...(isDial && { isDial }),
    ...(guardrailsInfo !== undefined && { guardrailsInfo }),
    ...(masked !== undefined && { masked: decodeMaskedOutput(masked) }),
  }
}

function infoKey(protocol: NativeProtocolName): string {
  return protocol === 'postgres' ? spec.guardrailsInfo : spec.refusedBy
}

/** Encodes the message. Adds the message's keys to `ids`, which is a spec with the session's id. */
export function encodeConnection(
  message: ConnectionMessage,
  receiver: Receiver,
  ids: Record<string, Buffer>,
): Packet {
  // The keys are assigned one by one, because literals with computed keys and spreads cost more than all
  // other work for a small packet.
  ids[spec.connectionId] = Buffer.from(message.connectionId)
  switch (message.kind) {
    case 'connection-close':
      if (message.isReset === true) ids[spec.reset] = Buffer.from(YES)
      return { type: CLOSES[receiver], spec: ids, payload: NO_PAYLOAD }
    case 'connection-end':
      return { type: receiver + END, spec: ids, payload: NO_PAYLOAD }
    case 'connection-pause':
      return { type: receiver + PAUSE, spec: ids, payload: NO_PAYLOAD }
    case 'connection-resume':
      return { type: receiver + RESUME, spec: ids, payload: NO_PAYLOAD }
    case 'connection-data': {
      const { protocol, data, isDial, guardrailsInfo, masked } = message
      if (isDial === true) ids[spec.serverConnect] = NO_PAYLOAD
      if (guardrailsInfo !== undefined) ids[infoKey(protocol)] = guardrailsInfo
      if (masked !== undefined) ids[spec.maskingInfo] = encodeMaskedOutput(masked)
      return { type: receiver + WRITES[protocol], spec: ids, payload: data }
    }
  }
}

/** What the client's side of a session's connections can do, as the packet that opens the session says. */
export interface ClientFlags {
  /** Pauses a connection when the agent asks for a pause. */
  readonly pausesConnections?: true
  /** Ends one direction of a TCP connection and goes on with the other. */
  readonly halfCloses?: true
}

export function clientFlags(packet: Packet): ClientFlags {
  return {
    ...(specText(packet, spec.pausesConnections) === YES && { pausesConnections: true }),
    ...(specText(packet, spec.clientHalfCloses) === YES && { halfCloses: true }),
  }
}

export function clientFlagsSpec({ pausesConnections, halfCloses }: ClientFlags): Packet['spec'] {
  return {
    ...(pausesConnections === true && { [spec.pausesConnections]: Buffer.from(YES) }),
    ...(halfCloses === true && { [spec.clientHalfCloses]: Buffer.from(YES) }),
  }
}

function idIn(packet: Packet): string {
  const id = specBytes(packet, spec.connectionId)
  if (id === undefined || id.length === 0) throw new DecodeError(spec.connectionId, 'missing')
  if (id.length > MAX_ID_BYTES) throw new DecodeError(spec.connectionId, `more than ${MAX_ID_BYTES} bytes`)
  return id.toString('utf8')
}
