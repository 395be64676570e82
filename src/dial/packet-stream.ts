import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js'
import { KEEPALIVE, type Packet } from '../wire/packet.ts'
import type { Channel } from './channel.ts'
import { ConnectError } from './connect-error.ts'
import { HealthWatch, type GatewayHealth } from './health.ts'
import type { StreamTiming } from './timing.ts'

/** Bytes that gRPC holds and has not written yet. grpc-js itself counts messages, whatever their size. */
const MAX_IN_FLIGHT_BYTES = 1024 * 1024
/** What a packet costs besides its payload, roughly. */
const PACKET_OVERHEAD_BYTES = 256

/** One stream of packets to the gateway, an agent's or a client's, on a channel of its own. */
export class PacketStream {
  readonly #channel: Channel
  readonly #call: ClientDuplexStream<Packet, Packet>
  readonly #timing: StreamTiming
  readonly #keepalive: NodeJS.Timeout
  readonly #closed: Promise<void>
  readonly #health: HealthWatch
  readonly #life = new AbortController()
  #accepted = false
  #error: ConnectError | undefined
  #inFlightBytes = 0
  /** When the gateway last accepted bytes. */
  #takenAt = 0
  readonly #writers: (() => void)[] = []

  /** Opens the stream. Whether the gateway accepts it shows with the first packet received. */
  constructor(channel: Channel, metadata: Readonly<Record<string, string>>, timing: StreamTiming) {
    this.#channel = channel
    this.#timing = timing
    this.#health = new HealthWatch((deadlineMs) => channel.healthCheck(deadlineMs), timing)
    this.#call = channel.connect(metadata)
    // grpc-js ends every call with a `status`, but emits `close` only after some ends.
    this.#closed = new Promise((resolve) => this.#call.once('status', () => resolve()))
    this.#call.on('error', (error) => this.#end(channel.errorOf(error as ServiceError)))
    this.#call.on('status', () => this.#end(ended()))
    const keepalive = () => void this.send(KEEPALIVE).catch(() => undefined)
    this.#keepalive = setInterval(keepalive, timing.keepaliveMs)
    keepalive()
  }

  /** Packets in order, until the stream ends; `error` says why it did. */
  async *receive(): AsyncGenerator<Packet, void, undefined> {
    const dial = setTimeout(() => this.#dialTimedOut(), this.#timing.dialMs)
    try {
      for await (const packet of this.#call) {
        clearTimeout(dial)
        this.#accept()
        yield packet as Packet
      }
    } catch (error) {
      this.#end(this.#channel.errorOf(error as ServiceError))
    } finally {
      clearTimeout(dial)
      this.#end(ended())
    }
  }

  /** Why the stream ended; undefined while it lasts. */
  get error(): ConnectError | undefined {
    return this.#error
  }

  /** The gateway's last answer to a health check, on this stream's connection. */
  get health(): GatewayHealth | undefined {
    return this.#health.latest
  }

  /** Whether a packet would be sent without waiting for the gateway. */
  get hasRoom(): boolean {
    return this.#inFlightBytes <= MAX_IN_FLIGHT_BYTES
  }

  /** Settles when there is room for the next packet: that is all the back-pressure. @throws ConnectError */
  async send(packet: Packet): Promise<void> {
    this.#refuseWhenEnded()
    const bytes = packet.payload.length + PACKET_OVERHEAD_BYTES
    this.#inFlightBytes += bytes
    this.#call.write(packet, () => this.#written(bytes))
    while (this.#inFlightBytes > MAX_IN_FLIGHT_BYTES) {
      await this.#room()
      this.#refuseWhenEnded()
    }
  }

  /** Ends the stream in an orderly way. Call it when the closes have been sent. */
  async close(): Promise<void> {
    // The gateway has never accepted the stream, so it need not be told.
    if (!this.#accepted) this.drop('told to stop')
    else {
      // Waits while the gateway takes bytes: up to 1 MiB of last output and closes is still on the way.
      while (this.#inFlightBytes > 0 && this.#error === undefined) await this.#room()
      this.#call.end()
    }
    const drop = setTimeout(() => this.drop('closing took too long'), this.#timing.closeMs)
    await this.#closed
    clearTimeout(drop)
  }

  /** Ends the stream at once, whatever is still on its way. */
  drop(reason: string): void {
    this.#drop(new ConnectError('lost', reason))
  }

  #dialTimedOut(): void {
    const { dialMs, firstPacket } = this.#timing
    if (firstPacket === 'whenever' && this.#channel.stage === 'connected') this.#accept()
    else this.#drop(this.#channel.timeout(dialMs))
  }

  /** The gateway has accepted the stream. From now on it has to answer health checks. */
  #accept(): void {
    if (this.#accepted) return
    this.#accepted = true
    const { signal } = this.#life
    void this.#health.untilSilent(signal).then(() => {
      if (!signal.aborted) this.drop('the gateway has left two health checks in a row unanswered')
    })
  }

  async #room(): Promise<void> {
    const { stallMs } = this.#timing
    const from = performance.now()
    const look = () => {
      const restMs = Math.max(from, this.#takenAt) + stallMs - performance.now()
      if (restMs <= 0) this.drop(`the gateway has taken nothing for ${stallMs / 1000} s`)
      else stalled = setTimeout(look, restMs)
    }
    let stalled = setTimeout(look, stallMs)
    await new Promise<void>((resolve) => this.#writers.push(resolve))
    clearTimeout(stalled)
  }

  /** Throws when the stream has ended: grpc-js would silently ignore the write. */
  #refuseWhenEnded(): void {
    if (this.#error !== undefined) throw this.#error
  }

  #written(bytes: number): void {
    this.#inFlightBytes -= bytes
    this.#takenAt = performance.now()
    if (this.#inFlightBytes <= MAX_IN_FLIGHT_BYTES) this.#wakeWriters()
  }

  #wakeWriters(): void {
    for (const wake of this.#writers.splice(0)) wake()
  }

  /** Closes the sockets first, so that the gateway sees that the agent has disconnected (protocol.md 0.25). */
  #drop(reason: ConnectError): void {
    this.#end(reason)
    this.#channel[Symbol.dispose]()
    // One turn later, when the end of the sockets has taken effect. A call that never got a socket ends only by this.
    setImmediate(() => this.#call.cancel())
  }

  /** The first reason wins. */
  #end(error: ConnectError): void {
    this.#error ??= error
    this.#life.abort()
    clearInterval(this.#keepalive)
    this.#wakeWriters()
  }
}

function ended(): ConnectError {
  return new ConnectError('lost', 'the gateway ended the stream')
}
