import type { WindowSize } from '../../basics/window-size.ts'
import type { Secret } from '../../basics/secret.ts'
import { ConnectError } from '../../dial/connect-error.ts'
import type { PacketLine } from '../../dial/packet-line.ts'
import type { Destination } from '../../dial/tls.ts'
import type { Proxy } from '../../basics/net/proxy.ts'
import {
  decodeToClient,
  encodeClientMessage,
  REASON_HEADER,
  WHEN_APPROVED,
  type ToClientMessage,
} from '../../wire/messages/from-client.ts'
import type { ConnectionMessage } from '../../wire/messages/native.ts'
import { hoopWords } from '../../wire/gateway-words.ts'
import type { OpenedMessage } from '../../wire/messages/message.ts'
import type { Packet } from '../../wire/packet.ts'
import { endOfClose, endOfStream, type StreamEnd } from './session-end.ts'

export interface StreamAccess {
  readonly destination: Destination
  readonly proxy: Proxy | undefined
  readonly token: Secret
}

export interface StreamRequest {
  readonly verb: 'exec' | 'connect'
  readonly connection: string
  /** Empty for a terminal. */
  readonly script: Buffer
  readonly clientArgs: readonly string[]
  /** Maps `envvar:NAME` to the value in base64. */
  readonly envVars: ReadonlyMap<string, string>
  /** If true, the gateway itself runs the script after the approval, even when this client has left. */
  readonly whenApproved?: boolean
  /** Why the user asks. Only the embedded gateway reads it. */
  readonly reason?: string
  /**
   * Used for `connect` to a port. Gets the messages about connections of native clients. Without this
   * function, the session is a terminal.
   */
  readonly port?: (message: ConnectionMessage) => void
}

export type StreamEvent =
  | OpenedMessage
  | { readonly kind: 'stdout' | 'stderr'; readonly data: Buffer }
  | { readonly kind: 'waiting-approval'; readonly sessionId: string; readonly url: string }
  | { readonly kind: 'approved' }

/** @param signal aborts when the caller has left */
type OpenLine = (signal: AbortSignal) => PacketLine | Promise<PacketLine>

/** A byte that makes an agent start a terminal. The agent does not pass the byte on (protocol.md 0.5). */
const FIRST_KEY = Buffer.of(0x0a)

/**
 * One session on its own stream. Read `events` to their end, and `end` after that. Disposing closes the
 * stream. The gateway then ends the session and the command.
 */
export class ClientSession implements Disposable {
  readonly #request: StreamRequest
  readonly #openLine: OpenLine
  readonly #life = new AbortController()
  #line: PacketLine | undefined
  #end: StreamEnd | undefined
  #isOpen = false
  /** The newest size that was not sent yet. */
  #size: WindowSize | undefined
  #isResizing = false

  /** @param openLine called when `events` is read */
  constructor(request: StreamRequest, openLine: OpenLine) {
    this.#request = request
    this.#openLine = openLine
  }

  /** Valid after the end of `events`. */
  get end(): StreamEnd {
    return (
      this.#end ?? endOfStream(this.#line?.error ?? new ConnectError('lost', 'no reason given'), this.#isOpen)
    )
  }

  get address(): string | undefined {
    return this.#line?.address
  }

  /**
   * Reads a packet only when the caller asks for the next event. So a slow caller slows down the command.
   * @throws the errors of `openLine`
   */
  async *events(): AsyncGenerator<StreamEvent, void, undefined> {
    const line = await this.#opened()
    if (line === undefined) return
    this.#open()
    for await (const packet of line.receive()) {
      const event = this.#received(decodeToClient(packet))
      if (event !== undefined) yield event
      if (this.#end !== undefined) return
    }
  }

  async startTerminal(size: WindowSize): Promise<void> {
    await this.#send(encodeClientMessage({ kind: 'input', data: FIRST_KEY }))
    await this.resize(size)
  }

  /** Settles when more keys can be sent. Keys after the session's end are lost. */
  async type(data: Buffer): Promise<void> {
    await this.#send(encodeClientMessage({ kind: 'input', data }))
  }

  /** Settles when more messages can be sent. */
  async connection(message: ConnectionMessage): Promise<void> {
    await this.#send(encodeClientMessage(message))
  }

  /** If several sizes wait, sends only the newest one. */
  async resize(size: WindowSize): Promise<void> {
    this.#size = size
    if (this.#isResizing) return
    this.#isResizing = true
    for (let next = this.#nextSize(); next !== undefined; next = this.#nextSize())
      await this.#send(encodeClientMessage({ kind: 'resize', ...next }))
    this.#isResizing = false
  }

  #nextSize(): WindowSize | undefined {
    const size = this.#size
    this.#size = undefined
    return size
  }

  [Symbol.dispose](): void {
    this.#life.abort()
    this.#line?.drop('left')
  }

  async #opened(): Promise<PacketLine | undefined> {
    const { signal } = this.#life
    try {
      this.#line = await this.#openLine(signal)
    } catch (error) {
      if (!signal.aborted) throw error
    }
    if (signal.aborted) this.#line?.drop('left')
    return signal.aborted ? undefined : this.#line
  }

  #open(): void {
    const { verb, script, clientArgs, envVars, port } = this.#request
    const open = { kind: 'open', input: script, clientArgs, clientEnvVars: envVars } as const
    const way =
      port === undefined
        ? { wantsTerminal: true as const }
        : { pausesConnections: true as const, halfCloses: true as const }
    void this.#send(encodeClientMessage({ ...open, ...(verb === 'connect' && way) }))
  }

  #received(message: ToClientMessage): StreamEvent | undefined {
    switch (message.kind) {
      case 'opened':
        return this.#begin(message)
      case 'stdout':
      case 'stderr':
      case 'waiting-approval':
        return message
      case 'approved':
        this.#open()
        return message
      case 'closed':
        this.#end = endOfClose(message)
        return undefined
      case 'agent-offline':
        this.#end = { kind: 'offline', message: hoopWords.agentIsOffline }
        return undefined
      case 'timed-out':
        this.#end = { kind: 'expired', message: 'the session did not open in time' }
        return undefined
      case 'connection-data':
      case 'connection-close':
      case 'connection-end':
      case 'connection-pause':
      case 'connection-resume':
        this.#request.port?.(message)
        return undefined
      case 'keepalive':
      case 'draining':
      case 'unsupported':
        return undefined
    }
  }

  /**
   * Sends the script after the first `opened`. Ignores another `opened`, because a second script would run as
   * a second command.
   */
  #begin(message: OpenedMessage): OpenedMessage | undefined {
    if (this.#isOpen) return undefined
    this.#isOpen = true
    const { verb, script } = this.#request
    if (verb === 'exec') void this.#send(encodeClientMessage({ kind: 'exec', stdin: script }))
    return message
  }

  /** Does nothing if the stream has ended, because the reader of `events` gets the reason. */
  async #send(packet: Packet): Promise<void> {
    try {
      await this.#line?.send(packet)
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error
    }
  }
}

/**
 * Returns the stream's metadata, without the token. `version` is empty, because hoop's gateway warns when it
 * differs from the agent's version.
 */
export function metadataOf({
  verb,
  connection,
  whenApproved,
  reason = '',
}: StreamRequest): Record<string, string> {
  return {
    origin: 'client',
    verb,
    'connection-name': connection,
    version: '',
    ...(whenApproved === true && { [WHEN_APPROVED]: 'true' }),
    ...(reason !== '' && { [REASON_HEADER]: encodeURIComponent(reason.toWellFormed()) }),
  }
}
