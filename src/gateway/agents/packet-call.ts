import type { ServerHttp2Session } from 'node:http2'
import { Metadata, status, type ServerDuplexStream } from '@grpc/grpc-js'
import { CODE_TRAILER } from '../../wire/gateway-codes.ts'
import { JoinedWrites, JOINS, packetsIn } from '../../wire/joined-packets.ts'
import { DecodeError, type Packet, YES } from '../../wire/packet.ts'
import { type ClientCall, Outbox } from './client-call.ts'
import { rpcStatus, type RpcCode, type RpcStatus } from '../../contract/statuses.ts'
import type { CallerAddress } from '../../basics/net/address.ts'

/** Estimated cost of a packet in bytes, besides its content. */
const PACKET_OVERHEAD_BYTES = 256

/** gRPC's codes by grpc-go's names, as far as this gateway uses them. */
const NUMBERS: Readonly<Record<RpcStatus, status>> = {
  Aborted: status.ABORTED,
  Canceled: status.CANCELLED,
  DeadlineExceeded: status.DEADLINE_EXCEEDED,
  FailedPrecondition: status.FAILED_PRECONDITION,
  Internal: status.INTERNAL,
  InvalidArgument: status.INVALID_ARGUMENT,
  NotFound: status.NOT_FOUND,
  ResourceExhausted: status.RESOURCE_EXHAUSTED,
  Unavailable: status.UNAVAILABLE,
  Unauthenticated: status.UNAUTHENTICATED,
  Unknown: status.UNKNOWN,
}

/**
 * Node reads 16 packets ahead, which may be 272 MiB. Only this field can limit the packets; flow.test.ts
 * checks it.
 */
interface Buffered {
  readonly _readableState: { highWaterMark: number }
}

/**
 * Maximum bytes in transit from one peer to the gateway. With HTTP/2's 64 KiB, a peer 40 ms away sends only 1
 * MB a second.
 */
const WINDOW_BYTES = 1024 * 1024

/**
 * grpc-js has an option for the window, but its servers ignore the option. transport.test.ts checks this
 * access.
 */
interface OverHttp2 {
  readonly call: { readonly stream?: { readonly session?: ServerHttp2Session } }
}

/**
 * The stream of one peer, which is an agent or a client. The class counts bytes, because grpc-js counts only
 * messages of any size. grpc-js also queues messages without a limit when a peer does not read.
 */
export class PacketCall implements ClientCall {
  /** Settles when the call is over. Nothing is sent afterwards. */
  readonly over: Promise<void>
  readonly ip: string
  readonly #stream: ServerDuplexStream<Packet, Packet>
  readonly #writes: JoinedWrites
  #hasSent = false
  readonly #outbox: Outbox<Packet>

  constructor(stream: ServerDuplexStream<Packet, Packet>, callerAddress: CallerAddress) {
    this.#stream = stream
    const forwardedFor = stream.metadata.get('x-forwarded-for').join(',')
    this.ip = callerAddress(peerAddress(stream), forwardedFor)
    this.#writes = new JoinedWrites((packet, written) => stream.write(packet, written))
    this.#outbox = new Outbox({
      write: (packet, taken) => this.#writes.write(packet, taken),
      finish: () => this.#writes.end(() => stream.end()),
      bytesOf,
    })
    this.over = new Promise((resolve) => {
      const over = () => {
        this.#drop()
        resolve()
      }
      // `cancelled` follows every end, also a regular end.
      stream.once('cancelled', over).once('close', over)
    })
  }

  /** Returns a value of the peer's metadata. */
  header(name: string): string | undefined {
    const [value] = this.#stream.metadata.get(name)
    return value === undefined ? undefined : String(value)
  }

  /** The peer's certificate in DER, if one of the server's authorities has signed it. */
  get certificate(): Buffer | undefined {
    return this.#stream.getAuthContext().sslPeerCertificate?.raw
  }

  get isOver(): boolean {
    return this.#outbox.isOver
  }

  get unsentBytes(): number {
    return this.#outbox.unsentBytes
  }

  send(packet: Packet): void {
    if (!this.#hasSent) this.#greet()
    this.#outbox.send(packet)
  }

  room(bytes: number): Promise<void> {
    return this.#outbox.room(bytes)
  }

  /**
   * Reads packets one by one on demand, which slows down a peer that floods. Ends when the peer has ended its
   * side, or the call is over.
   * @param ahead number of packets that are read in advance
   */
  async *packets(ahead = 1): AsyncGenerator<Packet, void, undefined> {
    ;(this.#stream as unknown as Buffered)._readableState.highWaterMark = ahead
    let wake: () => void = () => undefined
    for (const event of ['readable', 'end', 'close', 'cancelled']) this.#stream.on(event, () => wake())
    for (;;) {
      const packet = this.#stream.read() as Packet | null
      if (packet !== null) {
        if (!(yield* this.#packetsIn(packet))) return
      } else if (this.#stream.readableEnded || this.#outbox.isOver) return
      else await new Promise<void>((resolve) => (wake = resolve))
    }
  }

  /**
   * Widens the receive window of the whole connection. Only for authenticated peers, because the window takes
   * the gateway's memory.
   */
  widen(): void {
    const session = (this.#stream as unknown as OverHttp2).call.stream?.session
    session?.settings({ initialWindowSize: WINDOW_BYTES })
    session?.setLocalWindowSize(WINDOW_BYTES)
  }

  /**
   * Agrees on joined packets. The headers of the answer are sent before the first packet, but not before a
   * refusal.
   */
  #greet(): void {
    this.#hasSent = true
    if (this.header(JOINS) !== YES || this.isOver) return
    this.#writes.isJoining = true
    const metadata = new Metadata()
    metadata.set(JOINS, YES)
    this.#stream.sendMetadata(metadata)
  }

  /** Ends the call with status OK, after everything that was sent. */
  end(): void {
    this.#outbox.end()
  }

  /** Ends the call with the status of a code. Unsent packets are dropped. */
  fail(code: RpcCode, details: string): void {
    if (!this.#outbox.isOpen) return
    this.#drop()
    // This is how grpc-js ends a stream with a status.
    this.#stream.emit('error', { code: NUMBERS[rpcStatus(code)], details, metadata: trailers(code) })
  }

  /** @returns whether the packet was valid; otherwise the call has failed */
  *#packetsIn(packet: Packet): Generator<Packet, boolean, undefined> {
    try {
      yield* packetsIn(packet)
      return true
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      this.fail('invalid-request', error.message)
      return false
    }
  }

  #drop(): void {
    this.#outbox.drop()
    this.#writes.drop()
  }
}

/** Returns the peer's address without the port. */
function peerAddress(stream: ServerDuplexStream<Packet, Packet>): string {
  return stream
    .getPeer()
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1')
}

function trailers(code: RpcCode): Metadata {
  const metadata = new Metadata()
  metadata.set(CODE_TRAILER, code)
  return metadata
}

function bytesOf({ payload, spec }: Packet): number {
  return Object.values(spec).reduce((sum, { length }) => sum + length, payload.length + PACKET_OVERHEAD_BYTES)
}
