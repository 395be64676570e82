import type { WindowSize } from '../../basics/window-size.ts'
import { DecodeError, type SessionId } from '../packet.ts'
import type { ConnectionParams } from '../params.ts'
import type { GuardrailInfo } from './guardrails-info.ts'
import type { MaskedOutput } from './masking-info.ts'
import type { ConnectionMessage } from './native.ts'
import type { SystemReply, SystemRequest } from './system-request.ts'

export type { SessionId } from '../packet.ts'

/** Messages of a gateway to an agent. */
export type GatewayMessage =
  | { readonly kind: 'connected' }
  | { readonly kind: 'feature-flags'; readonly flags: ReadonlyMap<string, boolean> }
  /** Ours: the gateway stops when its sessions have ended, or at this time. */
  | { readonly kind: 'gateway-draining'; readonly stopsAt: Date }
  | OpenMessage
  | { readonly kind: 'exec'; readonly sid: SessionId; readonly stdin: Buffer }
  | { readonly kind: 'input'; readonly sid: SessionId; readonly data: Buffer }
  | { readonly kind: 'resize'; readonly sid: SessionId; readonly cols: number; readonly rows: number }
  | { readonly kind: 'close'; readonly sid: SessionId }
  /** Ours: the embedded gateway wants no more output of this session until `resume`. */
  | { readonly kind: 'pause' | 'resume'; readonly sid: SessionId }
  | (ConnectionMessage & { readonly sid: SessionId })
  /** A packet of a native protocol that is not served. */
  | { readonly kind: 'native-proxy'; readonly sid: SessionId; readonly type: string }
  /** A request of the gateway itself. The id belongs to the request, not to a session. */
  | { readonly kind: 'system'; readonly sid: SessionId; readonly request: SystemRequest }
  | { readonly kind: 'unsupported'; readonly sid: SessionId | undefined; readonly type: string }

export interface OpenMessage {
  readonly kind: 'open'
  readonly sid: SessionId
  /** The collapsed type (protocol.md 5.1). The agent echoes it; hoop's command line decides by it. */
  readonly connectionType: string
  /** Port that the client asked for, which the agent echoes; empty without a port. */
  readonly requestPort: string
  readonly params: ConnectionParams
  /** `envvar:NAME` or `filesystem:NAME` to base64. Never overrides variables of the connection. */
  readonly clientEnvVars: ReadonlyMap<string, string>
  /** For `connect`: a terminal for every type of connection. Hoop's command line opens a port for most. */
  readonly wantsTerminal?: true
  /** Ours: the client pauses a single connection of a native client when the agent asks for a pause. */
  readonly pausesConnections?: true
}

/** Messages of an agent that the embedded gateway reads. */
export type AgentMessage =
  | { readonly kind: 'keepalive' }
  /** Ours: the agent stops when its sessions have ended. New sessions should wait for the next agent. */
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
  /** Command and arguments joined with spaces, without expansion. Only for display. */
  readonly command: string
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
  /** Shown to the user after the output; empty after a success. */
  readonly message: string
  /** Bytes of output above the agent's cap, which were left out. */
  readonly truncatedBytes: number
  /** Bytes of secrets in the output that the agent replaced. */
  readonly redactedBytes: number
  /** Masking that no output packet has reported. */
  readonly masked?: MaskedOutput
  /** Broken rules because of which the agent stopped the session. */
  readonly guardrails?: readonly GuardrailInfo[]
  /** Why the agent ended the command or ran nothing (words of protocol.md 3.5); absent after a normal end. */
  readonly endReason?: string
}

/** Decodes `rows,cols,x,y`; x and y (pixels) are not used. 16 bits each, as in hoop. @throws DecodeError */
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
