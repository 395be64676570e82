import type { ServerHttp2Session } from 'node:http2'
import { Metadata, status, type ServerDuplexStream } from '@grpc/grpc-js'
import { CODE_TRAILER } from '../../wire/gateway-codes.ts'
import type { Packet } from '../../wire/packet.ts'
import { type ClientCall, Outbox } from './client-call.ts'
import { rpcStatus, type RpcCode, type RpcStatus } from '../../contract/statuses.ts'
import type { CallerAddress } from '../../basics/net/address.ts'

/** What a packet costs besides its bytes, roughly. */
const PACKET_OVERHEAD_BYTES = 256

/** gRPC's codes under grpc-go's names, as far as peers are refused or ended with them. */
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

/** Node reads 16 packets ahead: 272 MiB. This is the only place to stop that; flow.test.ts guards it. */
interface Buffered {
  readonly _readableState: { highWaterMark: number }
}

/** What a peer may have on the way to us. With the 64 KiB of HTTP/2, one 40 ms away gets through 1 MB a second. */
const WINDOW_BYTES = 1024 * 1024

/** grpc-js has an option for it that servers pass over. transport.test.ts guards this. */
interface OverHttp2 {
  readonly call: { readonly stream?: { readonly session?: ServerHttp2Session } }
}

/**
 * The stream of one peer, agent or client. It counts bytes, since grpc-js counts only messages, whatever their size,
 * and queues without a limit what a peer does not take.
 */
export class PacketCall implements ClientCall {
  /** Settles when the call is over, and nothing is sent any more. */
  readonly over: Promise<void>
  readonly ip: string
  readonly #stream: ServerDuplexStream<Packet, Packet>
  readonly #outbox: Outbox<Packet>

  constructor(stream: ServerDuplexStream<Packet, Packet>, callerAddress: CallerAddress) {
    this.#stream = stream
    const forwardedFor = stream.metadata.get('x-forwarded-for').join(',')
    this.ip = callerAddress(peerAddress(stream), forwardedFor)
    this.#outbox = new Outbox({
      write: (packet, taken) => stream.write(packet, taken),
      finish: () => stream.end(),
      bytesOf,
    })
    this.over = new Promise((resolve) => {
      const over = () => {
        this.#outbox.drop()
        resolve()
      }
      // `cancelled` follows every end, the orderly one included.
      stream.once('cancelled', over).once('close', over)
    })
  }

  /** A value of the peer's metadata. */
  header(name: string): string | undefined {
    const [value] = this.#stream.metadata.get(name)
    return value === undefined ? undefined : String(value)
  }

  /** The peer's certificate in DER, if it has one that an authority of the server has signed. */
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
    this.#outbox.send(packet)
  }

  room(bytes: number): Promise<void> {
    return this.#outbox.room(bytes)
  }

  /**
   * The packets, read one by one when they are asked for, which slows down a peer that floods. Ends when the peer has
   * ended its side, or the call is over. @param ahead packets that are read before they are asked for
   */
  async *packets(ahead = 1): AsyncGenerator<Packet, void, undefined> {
    ;(this.#stream as unknown as Buffered)._readableState.highWaterMark = ahead
    let wake: () => void = () => undefined
    for (const event of ['readable', 'end', 'close', 'cancelled']) this.#stream.on(event, () => wake())
    for (;;) {
      const packet = this.#stream.read() as Packet | null
      if (packet !== null) yield packet
      else if (this.#stream.readableEnded || this.#outbox.isOver) return
      else await new Promise<void>((resolve) => (wake = resolve))
    }
  }

  /** Lets it have more on the way, on all streams of its connection. For peers that are known: it is our memory. */
  widen(): void {
    const session = (this.#stream as unknown as OverHttp2).call.stream?.session
    session?.settings({ initialWindowSize: WINDOW_BYTES })
    session?.setLocalWindowSize(WINDOW_BYTES)
  }

  /** With status OK, after everything that was sent. */
  end(): void {
    this.#outbox.end()
  }

  /** Ends the call with the status of a code. What still waits here is not sent. */
  fail(code: RpcCode, details: string): void {
    if (!this.#outbox.isOpen) return
    this.#outbox.drop()
    // This is how grpc-js ends a stream with a status.
    this.#stream.emit('error', { code: NUMBERS[rpcStatus(code)], details, metadata: trailers(code) })
  }
}

/** Without the port. */
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
