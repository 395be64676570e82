import { joined } from '../../basics/joined.ts'
import type { NativeProtocolName } from '../../wire/messages/native.ts'
import type { MaskedOutput } from '../../wire/messages/masking-info.ts'
import type { AgentMessage, SessionId } from '../../wire/messages/message.ts'
import { PACKET_OVERHEAD_BYTES } from '../../wire/packet.ts'
import { OutputGate } from '../output/sent-output.ts'
import { delivery, type Take } from './delivery.ts'
import { NativeError } from './native-error.ts'
import { MAX_PACKET_BYTES, type RawClient } from './protocol.ts'
import { CLIENT_RESET } from './server-socket.ts'

/**
 * Limits in bytes for data of a client that waits for its server. Clients of this program are paused above
 * `high` and resumed below `low`. hoop's protocol cannot pause a client: above `most`, the connection ends.
 */
const WAITING_BYTES = { high: 1024 * 1024, low: 256 * 1024, most: 32 * 1024 * 1024 }
/**
 * Limit in bytes for all connections of a session together: a client could open a thousand connections to a
 * server that does not read.
 */
const MAX_WAITING_BYTES_OF_SESSION = 128 * 1024 * 1024

/** Time in milliseconds to deliver the last bytes of a client that has hung up. */
const LAST_BYTES_MS = 5000

/** Time in milliseconds for a protocol to tell its client why the agent ends the connection. */
const GOODBYE_MS = 2000

export interface ConnectionSession {
  readonly sid: SessionId
  readonly protocol: NativeProtocolName
  /** Whether the client's side can pause connections. */
  readonly pauses: boolean
  /** Whether the client's side can end one direction of a connection. */
  readonly halfCloses: boolean
  /** Bytes of all clients of the session that wait for the server. */
  readonly waiting: { bytes: number }
  readonly takeMasked: () => MaskedOutput | undefined
  /**
   * Returns a promise if the stream accepts no more. The promise never rejects: the end of the stream ends
   * the session.
   */
  readonly send: (
    message: Extract<AgentMessage, { readonly connectionId: string }>,
  ) => Promise<void> | undefined
}

export class NativeConnection implements RawClient {
  readonly id: string
  isSilent = false
  readonly #session: ConnectionSession
  /** Closed while the client has paused this connection. */
  readonly #gate = new OutputGate()
  readonly #gone = new AbortController()
  readonly #ending = new AbortController()
  #waiting: Buffer[] = []
  /** Includes the bytes that are being written to the server. */
  #waitingBytes = 0
  #takenBytes = 0
  #isPausing = false
  #hasLeft = false
  /** Whether the client sends no more bytes. It may go on reading. */
  #hasFinished = false
  #isReset = false
  #lastBytes: NodeJS.Timeout | undefined
  #goodbye: NodeJS.Timeout | undefined
  #wake: () => void = () => undefined
  readonly bytes = { received: 0, sent: 0 }

  constructor(id: string, session: ConnectionSession) {
    this.id = id
    this.#session = session
  }

  get isOurs(): boolean {
    return this.#session.pauses
  }

  get halfCloses(): boolean {
    return this.#session.halfCloses
  }

  get gone(): AbortSignal {
    return this.#gone.signal
  }

  get ending(): AbortSignal {
    return this.#ending.signal
  }

  receive(data: Buffer): void {
    if (data.length === 0 || this.#hasLeft || this.#hasFinished || this.ending.aborted) return
    this.bytes.received += data.length
    this.#waiting.push(data)
    this.#count(data.length + PACKET_OVERHEAD_BYTES)
    if (this.#waitingBytes > WAITING_BYTES.most) return this.end(notReading(WAITING_BYTES.most))
    if (this.#session.waiting.bytes > MAX_WAITING_BYTES_OF_SESSION)
      return this.end(notReading(MAX_WAITING_BYTES_OF_SESSION))
    if (this.#waitingBytes > WAITING_BYTES.high) this.#setPausing(true)
    this.#wake()
  }

  async next(): Promise<Buffer | undefined> {
    this.#releaseTaken()
    while (this.#waiting.length === 0) {
      if (this.#isAtEnd()) return undefined
      await this.#woken()
    }
    return this.#takeWaiting()
  }

  deliver(take: Take): Promise<void> {
    const read = () => {
      this.#releaseTaken()
      if (this.#waiting.length > 0) return this.#takeWaiting()
      return this.#isAtEnd() ? 'over' : 'none'
    }
    return delivery({ read, onNews: (call) => (this.#wake = call) }, take)
  }

  /** Subtracts the bytes that were taken last: they are written by now. */
  #releaseTaken(): void {
    this.#count(-this.#takenBytes)
    this.#takenBytes = 0
    if (this.#waitingBytes < WAITING_BYTES.low) this.#setPausing(false)
  }

  #takeWaiting(): Buffer {
    const waiting = this.#waiting
    this.#waiting = []
    this.#takenBytes = this.#waitingBytes
    return joined(waiting)
  }

  #isAtEnd(): boolean {
    if (this.#hasLeft) this.#gone.abort()
    return this.#hasFinished || this.gone.aborted || this.ending.aborted
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve))
  }

  send(data: Buffer, guardrailsInfo?: Buffer): Promise<void> | undefined {
    const isOne = data.length <= MAX_PACKET_BYTES && !this.#gate.isClosed
    return isOne ? this.#sendOne(data, guardrailsInfo) : this.#sendPieces(data, guardrailsInfo)
  }

  async #sendPieces(data: Buffer, guardrailsInfo: Buffer | undefined): Promise<void> {
    for (let at = 0; at < data.length; at += MAX_PACKET_BYTES) {
      if (this.#gate.isClosed) await this.#gate.passed()
      await this.#sendOne(data.subarray(at, at + MAX_PACKET_BYTES), guardrailsInfo)
    }
  }

  #sendOne(data: Buffer, guardrailsInfo: Buffer | undefined): Promise<void> | undefined {
    if (this.#hasLeft || data.length === 0) return undefined
    const { protocol, takeMasked } = this.#session
    const masked = takeMasked()
    this.bytes.sent += data.length
    const message = { kind: 'connection-data', protocol, data } as const
    // Spreading objects costs more than the rest of this function, and few packets need it.
    if (guardrailsInfo === undefined && masked === undefined) return this.#tell(message)
    return this.#tell({
      ...message,
      ...(guardrailsInfo !== undefined && { guardrailsInfo }),
      ...(masked !== undefined && { masked }),
    })
  }

  pause(): void {
    this.#gate.pause()
  }

  resume(): void {
    this.#gate.resume()
  }

  /** The client sends no more bytes, and waits for the rest of the answer. */
  endInput(): void {
    this.#hasFinished = true
    this.#wake()
  }

  finish(): void {
    if (this.halfCloses && !this.#hasLeft) void this.#tell({ kind: 'connection-end' })
  }

  reset(): void {
    this.#isReset = true
  }

  /**
   * The client's last bytes are still delivered. This stops after LAST_BYTES_MS, because the server may not
   * read any more. If the client has reset its connection, the server's connection is reset, too.
   */
  hangUp(isReset = false): void {
    this.#hasLeft = true
    this.#gate.openForGood()
    if (isReset) this.#gone.abort(CLIENT_RESET)
    else if (this.#waiting.length === 0) this.#gone.abort()
    else this.#lastBytes ??= setTimeout(() => this.#gone.abort(), LAST_BYTES_MS)
    this.#wake()
  }

  /** Ends the connection. The protocol has GOODBYE_MS to tell the client the reason. */
  end(reason: Error): void {
    this.#ending.abort(reason)
    this.#gate.openForGood()
    this.#wake()
    this.#goodbye ??= setTimeout(() => this.#gone.abort(), GOODBYE_MS)
  }

  async close(): Promise<void> {
    clearTimeout(this.#lastBytes)
    clearTimeout(this.#goodbye)
    const reset = this.#isReset ? { isReset: true as const } : {}
    if (!this.#hasLeft && !this.isSilent) await this.#tell({ kind: 'connection-close', ...reset })
    this.#hasLeft = true
    this.#waiting = []
    this.#count(-this.#waitingBytes)
    this.#takenBytes = 0
    this.#gone.abort()
  }

  #count(bytes: number): void {
    this.#waitingBytes += bytes
    this.#session.waiting.bytes += bytes
  }

  #setPausing(isPausing: boolean): void {
    if (!this.#session.pauses || this.#isPausing === isPausing) return
    this.#isPausing = isPausing
    void this.#tell({ kind: isPausing ? 'connection-pause' : 'connection-resume' })
  }

  #tell(message: DistributiveOmit<Parameters<ConnectionSession['send']>[0], 'sid' | 'connectionId'>) {
    return this.#session.send({ ...message, sid: this.#session.sid, connectionId: this.id })
  }
}

function notReading(bytes: number): NativeError {
  return new NativeError(
    'server',
    `the server does not read, and the client's waiting data takes ${bytes / 1024 / 1024} MiB`,
  )
}

type DistributiveOmit<T, Key extends PropertyKey> = T extends unknown ? Omit<T, Key> : never
