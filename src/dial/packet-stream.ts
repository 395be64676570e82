import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js'
import { KEEPALIVE, type Packet } from '../wire/packet.ts'
import type { Channel } from './channel.ts'
import { ConnectError } from './connect-error.ts'
import { HealthWatch, type GatewayHealth } from './health.ts'
import { SendQueue } from './send-queue.ts'
import type { StreamTiming } from './timing.ts'
import type { SessionId } from '../wire/messages/message.ts'

/** The gateway takes nothing, though its connection is alive. */
export interface Stall {
  /** Bytes that wait in this process. */
  readonly bytes: number
  /** How long the gateway has taken nothing. */
  readonly ms: number
}

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
  readonly #queue: SendQueue

  /** Opens the stream. Whether the gateway accepts it shows with the first packet received. */
  constructor(channel: Channel, metadata: Readonly<Record<string, string>>, timing: StreamTiming) {
    this.#channel = channel
    this.#timing = timing
    this.#health = new HealthWatch(
      (deadlineMs, again) => channel.healthCheck(deadlineMs, again && this.#queue.untaken !== undefined),
      timing,
    )
    this.#call = channel.connect(metadata)
    this.#queue = new SendQueue((packet, written) => this.#call.write(packet, written))
    // grpc-js ends every call with a `status`, but emits `close` only after some ends.
    this.#closed = new Promise((resolve) => this.#call.once('status', () => resolve()))
    this.#call.on('error', (error) => this.#end(channel.errorOf(error as ServiceError)))
    this.#call.on('status', () => this.#end(ended()))
    const keepalive = () => this.#keepAlive()
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
    return this.#queue.hasRoom
  }

  /** The bytes that wait for a gateway that takes nothing; undefined while it takes some. */
  get stall(): Stall | undefined {
    const untaken = this.#accepted && this.#error === undefined ? this.#queue.untaken : undefined
    if (untaken === undefined) return undefined
    const ms = performance.now() - untaken.since
    return ms < this.#timing.stallMs ? undefined : { bytes: untaken.bytes, ms }
  }

  /**
   * Settles when it was the packet's turn: that is all the back-pressure. It waits while the gateway lives and
   * takes nothing: hoop's takes nothing of a whole agent while one of its clients does not read. @throws ConnectError
   */
  async send(packet: Packet): Promise<void> {
    this.#refuseWhenEnded()
    const turn = this.#queue.send(packet)
    if (turn === undefined) return
    await turn
    this.#refuseWhenEnded()
  }

  /** Drops the waiting packets of a session that the gateway has closed. */
  forget(sid: SessionId): void {
    this.#queue.forget(sid)
  }

  /** Ends the stream in an orderly way. Call it when the closes have been sent. `drop` ends its wait. */
  async close(): Promise<void> {
    // The gateway has never accepted the stream, so it need not be told.
    if (!this.#accepted) this.drop('told to stop')
    else {
      // Last output and closes are still on the way.
      await this.#queue.empty()
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

  /** Keeps proxies on the way awake. Not sent while bytes are on the way: they do the same, and would delay it. */
  #keepAlive(): void {
    if (this.#queue.untaken === undefined) void this.send(KEEPALIVE).catch(() => undefined)
  }

  /** Throws when the stream has ended: grpc-js would silently ignore the write. */
  #refuseWhenEnded(): void {
    if (this.#error !== undefined) throw this.#error
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
    this.#queue.end()
  }
}

function ended(): ConnectError {
  return new ConnectError('lost', 'the gateway ended the stream')
}
