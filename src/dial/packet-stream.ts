import type { ClientDuplexStream, Metadata, ServiceError } from '@grpc/grpc-js'
import { bufferPassed } from '../basics/young-generation.ts'
import { JoinedWrites, JOINS, packetsIn } from '../wire/joined-packets.ts'
import type { SessionId } from '../wire/messages/message.ts'
import {
  DecodeError,
  KEEPALIVE,
  PACKET_OVERHEAD_BYTES,
  type Packet,
  sessionIdOf,
  YES,
} from '../wire/packet.ts'
import type { Channel } from './channel.ts'
import { ConnectError } from './connect-error.ts'
import { type GatewayHealth, HealthWatch, type StreamTiming } from './health.ts'

/**
 * Maximum number of bytes that gRPC holds and has not written. grpc-js itself limits only the number of
 * messages. The echo of a key waits for these bytes, and the event loop reads as many bytes in one turn. A
 * higher limit makes bulk output no faster, because the kernel has buffers, too.
 */
const MAX_IN_FLIGHT_BYTES = 128 * 1024
/**
 * Maximum size of a small packet in bytes: a terminal's output, an answer or a close. Small packets do not
 * wait for large packets of other sessions.
 */
const SMALL_BYTES = 4 * 1024 + PACKET_OVERHEAD_BYTES
/**
 * Number of bytes of small packets that may pass a waiting packet. Without this limit, a flood of small
 * packets would stop the large ones.
 */
const MAX_PASSED_BYTES = 64 * 1024

/** The bytes that have not left this process. */
interface Untaken {
  readonly bytes: number
  /** The time by `performance.now()`, in ms. */
  readonly since: number
}

interface Waiting {
  readonly packet: Packet
  readonly sid: SessionId | undefined
  readonly bytes: number
  readonly sent: () => void
}

/**
 * Sends packets and limits the bytes in gRPC. Sessions with much output take turns: each session waits until
 * its packet is sent, and only then reads its next output.
 */
export class SendQueue {
  readonly #write: (packet: Packet, written: () => void) => void
  readonly #waiting: Waiting[] = []
  #inFlightBytes = 0
  #waitingBytes = 0
  #passedBytes = 0
  /**
   * The time when bytes last left this process. After an empty queue, it is the time when the first bytes
   * were sent.
   */
  #takenAt = 0
  #isOver = false
  #emptied: () => void = () => undefined

  /** @param write calls `written` when the packet has left this process */
  constructor(write: (packet: Packet, written: () => void) => void) {
    this.#write = write
  }

  /** Whether a packet of any size would be sent immediately. */
  get hasRoom(): boolean {
    return this.#waiting.length === 0 && this.#inFlightBytes <= MAX_IN_FLIGHT_BYTES
  }

  /**
   * Returns the unsent bytes and the time `since` which no byte has left. Returns undefined if all bytes have
   * left.
   */
  get untaken(): Untaken | undefined {
    const bytes = this.#inFlightBytes + this.#waitingBytes
    return bytes === 0 ? undefined : { bytes, since: this.#takenAt }
  }

  /**
   * Returns undefined if the packet was sent immediately. Otherwise returns a promise, which settles when the
   * packet is sent or the queue ends.
   */
  send(packet: Packet): Promise<void> | undefined {
    const bytes = packet.payload.length + PACKET_OVERHEAD_BYTES
    if (this.hasRoom || this.#passes(packet, bytes)) {
      this.#send(packet, bytes)
      return undefined
    }
    this.#waitingBytes += bytes
    return new Promise((sent) => this.#waiting.push({ packet, sid: sessionIdOf(packet), bytes, sent }))
  }

  /** Drops the waiting packets of a session, because nobody reads them any more. */
  forget(sid: SessionId): void {
    for (let at = this.#waiting.length - 1; at >= 0; at -= 1)
      if (this.#waiting[at]?.sid === sid) this.#waiting.splice(at, 1).forEach((one) => this.#leave(one))
  }

  /** Settles when all packets are written, or when `end` is called. */
  async empty(): Promise<void> {
    if (this.#inFlightBytes > 0 && !this.#isOver)
      await new Promise<void>((resolve) => (this.#emptied = resolve))
  }

  /** Drops the waiting packets. Packets that were passed to gRPC may never be written. */
  end(): void {
    this.#isOver = true
    for (const one of this.#waiting.splice(0)) this.#leave(one)
    this.#emptied()
  }

  /** Whether a small packet may be sent before waiting packets. Packets of one session keep their order. */
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
    bufferPassed(bytes)
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

/** Describes a gateway that reads nothing although its connection is alive. */
export interface Stall {
  /** Bytes that wait in this process. */
  readonly bytes: number
  /** Time in milliseconds for which the gateway has read nothing. */
  readonly ms: number
}

/** A stream of packets between the gateway and an agent or a client. The stream has its own channel. */
export class PacketStream {
  readonly #channel: Channel
  readonly #call: ClientDuplexStream<Packet, Packet>
  readonly #timing: StreamTiming
  readonly #keepalive: NodeJS.Timeout
  #dial: NodeJS.Timeout | undefined
  readonly #closed: Promise<void>
  readonly #health: HealthWatch
  readonly #life = new AbortController()
  #accepted = false
  #error: ConnectError | undefined
  readonly #queue: SendQueue
  readonly #writes: JoinedWrites

  /** Opens the stream. The first received packet shows that the gateway has accepted the stream. */
  constructor(channel: Channel, metadata: Readonly<Record<string, string>>, timing: StreamTiming) {
    this.#channel = channel
    this.#timing = timing
    this.#health = new HealthWatch(
      (deadlineMs, again) => channel.healthCheck(deadlineMs, again && this.#queue.untaken !== undefined),
      timing,
    )
    const { call, write } = channel.connect({ ...metadata, [JOINS]: YES })
    this.#call = call
    this.#writes = new JoinedWrites(write)
    this.#call.on('metadata', (answer: Metadata) => (this.#writes.isJoining = answer.get(JOINS)[0] === YES))
    this.#queue = new SendQueue((packet, written) => this.#writes.write(packet, written))
    // grpc-js ends every call with a `status`, but emits `close` only after some ends.
    this.#closed = new Promise((resolve) => this.#call.once('status', () => resolve()))
    this.#call.on('error', (error) => this.#end(channel.errorOf(error as ServiceError)))
    this.#call.on('status', () => this.#end(ended()))
    const keepalive = () => this.#keepAlive()
    this.#keepalive = setInterval(keepalive, timing.keepaliveMs)
    keepalive()
  }

  /** Yields packets in order and on demand, until the stream ends. After the end, `error` is the reason. */
  async *receive(): AsyncGenerator<Packet, void, undefined> {
    using _ = this.#reading()
    try {
      for await (const packet of this.#call) {
        this.#accept()
        yield* packetsIn(packet as Packet)
      }
    } catch (error) {
      if (error instanceof DecodeError) this.drop(error.message)
      else this.#end(this.#channel.errorOf(error as ServiceError))
    }
  }

  /**
   * Passes each packet to `take` when the packet arrives, until the stream ends. After the end, `error` is
   * the reason. Costs less than `receive`. Rejects with the error that `take` throws.
   */
  async deliver(take: (packet: Packet) => void): Promise<void> {
    using _ = this.#reading()
    const call = this.#call
    try {
      await new Promise<void>((resolve, reject) => {
        const data = (packet: Packet) => {
          this.#accept()
          bufferPassed(packet.payload.length)
          try {
            for (const one of packetsIn(packet)) take(one)
          } catch (error) {
            // `take` is not called again after it has thrown.
            call.off('data', data)
            reject(error instanceof Error ? error : new Error(String(error)))
          }
        }
        const over = () => resolve()
        call.on('data', data).once('end', over).once('close', over).once('error', over)
      })
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      this.drop(error.message)
    }
  }

  /** The reason why the stream ended, or undefined while it is open. */
  get error(): ConnectError | undefined {
    return this.#error
  }

  /** The gateway's last answer to a health check on this stream's connection. */
  get health(): GatewayHealth | undefined {
    return this.#health.latest
  }

  get hasRoom(): boolean {
    return this.#queue.hasRoom
  }

  /** Undefined unless the gateway has read nothing for `stallMs`. */
  get stall(): Stall | undefined {
    const untaken = this.#accepted && this.#error === undefined ? this.#queue.untaken : undefined
    if (untaken === undefined) return undefined
    const ms = performance.now() - untaken.since
    return ms < this.#timing.stallMs ? undefined : { bytes: untaken.bytes, ms }
  }

  /**
   * Returns undefined if the packet was sent immediately. Otherwise returns a promise, which rejects with the
   * ConnectError if the stream ends. This promise is the only back-pressure. It may wait without a limit
   * while the gateway lives: hoop's gateway stops reading from an agent while one of the agent's clients does
   * not read.
   */
  send(packet: Packet): Promise<void> | undefined {
    if (this.#error !== undefined) return Promise.reject(this.#error)
    return this.#queue.send(packet)?.then(() => this.#refuseWhenEnded())
  }

  /** Drops the waiting packets of a session that the gateway has closed. */
  forget(sid: SessionId): void {
    this.#queue.forget(sid)
  }

  /**
   * Ends the stream in an orderly way. Call this function after the closes have been sent. `drop` ends its
   * wait.
   */
  async close(): Promise<void> {
    // A gateway that has never accepted the stream needs no orderly end.
    if (!this.#accepted) this.drop('told to stop')
    else {
      // The last output and closes may not be written yet.
      await this.#queue.empty()
      this.#call.end()
    }
    const drop = setTimeout(() => this.drop('closing took too long'), this.#timing.closeMs)
    await this.#closed
    clearTimeout(drop)
  }

  /** Ends the stream immediately and drops all unsent packets. */
  drop(reason: string): void {
    this.#drop(new ConnectError('lost', reason))
  }

  /** Starts the time limit for the first packet. The caller disposes the result when it stops reading. */
  #reading(): Disposable {
    this.#dial = setTimeout(() => this.#dialTimedOut(), this.#timing.dialMs)
    return { [Symbol.dispose]: () => this.#end(ended()) }
  }

  #dialTimedOut(): void {
    const { dialMs, firstPacket } = this.#timing
    if (firstPacket === 'whenever' && this.#channel.stage === 'connected') this.#accept()
    else this.#drop(this.#channel.timeout(dialMs))
  }

  /** Starts the health checks. From now on, the gateway has to answer them. */
  #accept(): void {
    if (this.#accepted) return
    this.#accepted = true
    clearTimeout(this.#dial)
    const { signal } = this.#life
    void this.#health.untilSilent(signal).then(() => {
      if (!signal.aborted) this.drop('the gateway did not answer two health checks in a row')
    })
  }

  /**
   * Sends a keepalive so that proxies do not close an idle connection. Other waiting bytes have the same
   * effect.
   */
  #keepAlive(): void {
    if (this.#queue.untaken === undefined) void this.#queue.send(KEEPALIVE)
  }

  /** Throws after the end, because grpc-js would silently ignore the write. */
  #refuseWhenEnded(): void {
    if (this.#error !== undefined) throw this.#error
  }

  /**
   * Closes the sockets before the call. The gateway then sees that the agent has disconnected (protocol.md
   * 0.25).
   */
  #drop(reason: ConnectError): void {
    this.#end(reason)
    this.#channel[Symbol.dispose]()
    // The sockets end one turn later. The cancel is for a call that never had a socket: only the cancel ends
    // it.
    setImmediate(() => this.#call.cancel())
  }

  /** The first reason wins. */
  #end(error: ConnectError): void {
    this.#error ??= error
    this.#life.abort()
    clearTimeout(this.#dial)
    clearInterval(this.#keepalive)
    this.#queue.end()
    this.#writes.drop()
  }
}

function ended(): ConnectError {
  return new ConnectError('lost', 'the gateway ended the stream')
}
