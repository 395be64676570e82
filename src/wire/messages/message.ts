import type { WindowSize } from '../../basics/window-size.ts'
import type { Epoch } from '../epochs.ts'
import { DecodeError, type SessionId } from '../packet.ts'
import type { ConnectionParams } from '../params.ts'
import type { GuardrailInfo } from './guardrails-info.ts'
import type { MaskedOutput } from './masking-info.ts'
import type { ConnectionMessage } from './native.ts'
import type { SystemReply, SystemRequest } from './system-request.ts'

export type { SessionId } from '../packet.ts'

/** Messages of a gateway to an agent. */
export type GatewayMessage =
  /** `epoch` is our own: the epoch of the gateway's state. */
  | { readonly kind: 'connected'; readonly epoch?: Epoch }
  | { readonly kind: 'feature-flags'; readonly flags: ReadonlyMap<string, boolean> }
  /** Our own message: the gateway stops after its sessions have ended, and at `stopsAt` at the latest. */
  | { readonly kind: 'gateway-draining'; readonly stopsAt: Date }
  | OpenMessage
  | { readonly kind: 'exec'; readonly sid: SessionId; readonly stdin: Buffer }
  | { readonly kind: 'input'; readonly sid: SessionId; readonly data: Buffer }
  | { readonly kind: 'resize'; readonly sid: SessionId; readonly cols: number; readonly rows: number }
  | { readonly kind: 'close'; readonly sid: SessionId }
  /** Our own message: the embedded gateway wants no more output of this session until `resume`. */
  | { readonly kind: 'pause' | 'resume'; readonly sid: SessionId }
  | (ConnectionMessage & { readonly sid: SessionId })
  /** A packet of a native protocol that this program does not serve. */
  | { readonly kind: 'native-proxy'; readonly sid: SessionId; readonly type: string }
  /** A request of the gateway itself. The id belongs to the request, not to a session. */
  | { readonly kind: 'system'; readonly sid: SessionId; readonly request: SystemRequest }
  | { readonly kind: 'unsupported'; readonly sid: SessionId | undefined; readonly type: string }

export interface OpenMessage {
  readonly kind: 'open'
  readonly sid: SessionId
  /**
   * The collapsed type (protocol.md 5.1). The agent sends it back, because hoop's command line chooses by
   * this type what it opens.
   */
  readonly connectionType: string
  /** The port that the client asked for, or an empty text. The agent sends it back. */
  readonly requestPort: string
  readonly params: ConnectionParams
  /**
   * Maps `envvar:NAME` or `filesystem:NAME` to the value in base64. These never override variables of the
   * connection.
   */
  readonly clientEnvVars: ReadonlyMap<string, string>
  /**
   * For `connect`: the client wants a terminal on a connection of any type. Hoop's command line opens a port
   * for most types.
   */
  readonly wantsTerminal?: true
  /**
   * Our own field: the client pauses a single connection of a native client when the agent asks for a pause.
   */
  readonly pausesConnections?: true
  /** Our own field: the client's side of a TCP connection can end one direction and go on with the other. */
  readonly halfCloses?: true
}

/** Messages of an agent that the embedded gateway reads. */
export type AgentMessage =
  | { readonly kind: 'keepalive' }
  /**
   * Our own message: the agent stops after its sessions have ended. New sessions should wait for the next
   * agent.
   */
  | { readonly kind: 'draining' }
  | OpenedMessage
  | OutputMessage
  | ClosedMessage
  | (ConnectionMessage & { readonly sid: SessionId })
  | { readonly kind: 'unsupported'; readonly sid: SessionId | undefined; readonly type: string }

export type AgentOutbound =
  | Exclude<AgentMessage, { kind: 'unsupported' }>
  | { readonly kind: 'system-reply'; readonly sid: SessionId; readonly reply: SystemReply }
  | { readonly kind: 'logs'; readonly lines: readonly ShippedLine[] }

/** A line of the agent's log (protocol.md 3.7). */
export interface ShippedLine {
  readonly time: Date
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  /** Anything that JSON can hold. */
  readonly fields: Readonly<Record<string, unknown>>
}

export interface OpenedMessage {
  readonly kind: 'opened'
  readonly sid: SessionId
  readonly connectionType: string
  readonly requestPort: string
  /** Command and arguments, joined with spaces and without expansion. They are only displayed. */
  readonly command: string
  /** Our own field: the agent knows `connection-end`, which hoop's agent and older agents would ignore. */
  readonly halfCloses?: true
}

export interface OutputMessage {
  readonly kind: 'stdout' | 'stderr'
  readonly sid: SessionId
  readonly data: Buffer
  readonly masked?: MaskedOutput
}

export interface ClosedMessage {
  readonly kind: 'closed'
  readonly sid: SessionId
  /** Undefined when the agent sent no number. The gateway's REST answer then has -2. */
  readonly exitCode: number | undefined
  /** The text that the user sees after the output. It is empty after a success. */
  readonly message: string
  /** Number of output bytes that were left out because they were above the agent's cap. */
  readonly truncatedBytes: number
  /** Number of bytes of secrets that the agent replaced in the output. */
  readonly redactedBytes: number
  /** What was masked and not yet reported in an output packet. */
  readonly masked?: MaskedOutput
  /** The broken rules that made the agent stop the session. */
  readonly guardrails?: readonly GuardrailInfo[]
  /**
   * Why the agent ended the command or ran nothing, in the words of protocol.md 3.5. It is absent after a
   * normal end.
   */
  readonly endReason?: string
}

/**
 * Decodes `rows,cols,x,y`. The numbers have 16 bits, as in hoop. x and y (pixels) are not used.
 * @throws DecodeError
 */
export function decodeWindowSize(payload: Buffer): WindowSize {
  const sizes = payload.toString('latin1', 0, 64).split(',')
  if (sizes.length !== 4 || !sizes.every((size) => /^\d{1,9}$/.test(size))) {
    throw new DecodeError('payload', 'a window size is rows,cols,x,y')
  }
  const [rows = 0, cols = 0] = sizes.map((size) => Number(size) & 0xffff)
  return { rows, cols }
}

export function encodeWindowSize({ rows, cols }: WindowSize): Buffer {
  return Buffer.from(`${rows},${cols},0,0`)
}
