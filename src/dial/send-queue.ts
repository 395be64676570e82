import type { SessionId } from '../wire/messages/message.ts'
import { sessionIdOf, type Packet } from '../wire/packet.ts'

/**
 * Bytes that gRPC holds and has not written yet; grpc-js itself counts messages, whatever their size. A key's echo waits
 * behind them, and the loop reads as much in one turn. More makes bulk output no faster: the kernel has buffers, too.
 */
const MAX_IN_FLIGHT_BYTES = 128 * 1024
/** What a packet costs besides its payload, roughly. */
const PACKET_OVERHEAD_BYTES = 256
/** A small packet need not wait for the large ones of other sessions: what a terminal gives at once, an answer, a close. */
const SMALL_BYTES = 4 * 1024 + PACKET_OVERHEAD_BYTES
/** Bytes that may pass the waiting packets before one of them goes. A flood of small ones must not stop large ones. */
const MAX_PASSED_BYTES = 64 * 1024

/** Bytes that have not left this process. */
export interface Untaken {
  readonly bytes: number
  /** In ms of `performance.now()`. */
  readonly since: number
}

interface Waiting {
  readonly packet: Packet
  readonly sid: SessionId | undefined
  readonly bytes: number
  readonly sent: () => void
}

/**
 * Packets on their way into one stream. Sessions with much output take turns, since each waits for one packet before
 * it reads the next.
 */
export class SendQueue {
  readonly #write: (packet: Packet, written: () => void) => void
  readonly #waiting: Waiting[] = []
  #inFlightBytes = 0
  #waitingBytes = 0
  #passedBytes = 0
  /** When bytes were last taken, or, after an empty queue, when the first ones were sent. */
  #takenAt = 0
  #isOver = false
  #emptied: () => void = () => undefined

  /** @param write calls `written` when the packet has left this process */
  constructor(write: (packet: Packet, written: () => void) => void) {
    this.#write = write
  }

  /** Whether a packet of any size would be sent at once. */
  get hasRoom(): boolean {
    return this.#waiting.length === 0 && this.#inFlightBytes <= MAX_IN_FLIGHT_BYTES
  }

  /** Bytes that have not left this process, and since when none has; undefined when all have left. */
  get untaken(): Untaken | undefined {
    const bytes = this.#inFlightBytes + this.#waitingBytes
    return bytes === 0 ? undefined : { bytes, since: this.#takenAt }
  }

  /** @returns undefined when the packet was sent at once, otherwise what settles at its turn, or at the end */
  send(packet: Packet): Promise<void> | undefined {
    const bytes = packet.payload.length + PACKET_OVERHEAD_BYTES
    if (this.hasRoom || this.#passes(packet, bytes)) {
      this.#send(packet, bytes)
      return undefined
    }
    this.#waitingBytes += bytes
    return new Promise((sent) => this.#waiting.push({ packet, sid: sessionIdOf(packet), bytes, sent }))
  }

  /** Drops the waiting packets of a session: nobody reads them any more. */
  forget(sid: SessionId): void {
    for (let at = this.#waiting.length - 1; at >= 0; at -= 1)
      if (this.#waiting[at]?.sid === sid) this.#waiting.splice(at, 1).forEach((one) => this.#leave(one))
  }

  /** Settles when everything has been written, or at the end. */
  async empty(): Promise<void> {
    if (this.#inFlightBytes > 0 && !this.#isOver)
      await new Promise<void>((resolve) => (this.#emptied = resolve))
  }

  /** Nothing more is sent: what waits is let go. What was on its way may never be written. */
  end(): void {
    this.#isOver = true
    for (const one of this.#waiting.splice(0)) this.#leave(one)
    this.#emptied()
  }

  /** Packets of one session never change places. */
  #passes(packet: Packet, bytes: number): boolean {
    if (bytes > SMALL_BYTES || this.#passedBytes + bytes > MAX_PASSED_BYTES) return false
    const sid = sessionIdOf(packet)
    if (this.#waiting.some((other) => other.sid === sid)) return false
    this.#passedBytes += bytes
    return true
  }

  #send(packet: Packet, bytes: number): void {
    if (this.#inFlightBytes === 0) this.#takenAt = performance.now()
    this.#inFlightBytes += bytes
    this.#write(packet, () => this.#written(bytes))
  }

  #written(bytes: number): void {
    this.#inFlightBytes -= bytes
    this.#takenAt = performance.now()
    if (this.#inFlightBytes <= MAX_IN_FLIGHT_BYTES) this.#sendWaiting()
    if (this.#inFlightBytes === 0) this.#emptied()
  }

  #sendWaiting(): void {
    this.#passedBytes = 0
    while (this.#inFlightBytes <= MAX_IN_FLIGHT_BYTES) {
      const next = this.#waiting.shift()
      if (next === undefined) return
      this.#send(next.packet, next.bytes)
      this.#leave(next)
    }
  }

  #leave({ bytes, sent }: Waiting): void {
    this.#waitingBytes -= bytes
    sent()
  }
}
