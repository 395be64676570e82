import type { ServerHttp2Session } from 'node:http2'
import { Metadata, status, type ServerDuplexStream } from '@grpc/grpc-js'
import { CODE_TRAILER } from '../../wire/gateway-codes.ts'
import { JoinedWrites, JOINS, packetsIn } from '../../wire/joined-packets.ts'
import { DecodeError, memoryOf, type Packet, YES } from '../../wire/packet.ts'
import { type ClientCall, Outbox } from './client-call.ts'
import { rpcStatus, type RpcCode, type RpcStatus } from '../../contract/statuses.ts'
import type { CallerAddress } from '../../basics/net/address.ts'
import { Wakeup } from '../../basics/wakeup.ts'

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
 * By default, Node reads 16 packets ahead. These packets can take 272 MiB. Only this internal field of Node
 * lowers the number. flow.test.ts checks that the field works.
 */
interface Buffered {
  readonly _readableState: { highWaterMark: number }
}

/** With HTTP/2's default window of 64 KiB, a peer 40 ms away sends only 1 MB a second. */
const WINDOW_BYTES = 1024 * 1024

/**
 * In servers, grpc-js ignores its option for the window size, so this program uses an internal field.
 * transport.test.ts checks that the field works.
 */
interface OverHttp2 {
  readonly call: { readonly stream?: { readonly session?: ServerHttp2Session } }
}

/**
 * The stream of an agent or a client. It limits the queue by bytes. grpc-js counts messages instead, and
 * queues them without a limit when the peer does not read.
 */
export class PacketCall implements ClientCall {
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
      bytesOf: memoryOf,
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
   * Reads packets only when the caller asks for them. This slows down a peer that sends too much. Ends when
   * the peer has ended its side, or the call is over.
   * @param ahead number of packets that are read in advance
   */
  async *packets(ahead = 1): AsyncGenerator<Packet, void, undefined> {
    ;(this.#stream as unknown as Buffered)._readableState.highWaterMark = ahead
    const wakeup = new Wakeup()
    for (const event of ['readable', 'end', 'close', 'cancelled']) this.#stream.on(event, () => wakeup.wake())
    for (;;) {
      const packet = this.#stream.read() as Packet | null
      if (packet !== null) {
        if (!(yield* this.#packetsIn(packet))) return
      } else if (this.#stream.readableEnded || this.#outbox.isOver) return
      else await wakeup.woken()
    }
  }

  /**
   * Enlarges the receive window of the whole connection. A larger window takes memory, so only authenticated
   * peers get one.
   */
  widen(): void {
    const session = (this.#stream as unknown as OverHttp2).call.stream?.session
    session?.settings({ initialWindowSize: WINDOW_BYTES })
    session?.setLocalWindowSize(WINDOW_BYTES)
  }

  /**
   * Tells the peer in the headers that this gateway joins packets. The headers are sent before the first
   * packet. A refused call gets no headers.
   */
  #greet(): void {
    this.#hasSent = true
    if (this.header(JOINS) !== YES || this.isOver) return
    this.#writes.isJoining = true
    const metadata = new Metadata()
    metadata.set(JOINS, YES)
    this.#stream.sendMetadata(metadata)
  }

  end(): void {
    this.#outbox.end()
  }

  fail(code: RpcCode, details: string): void {
    if (!this.#outbox.isOpen) return
    this.#drop()
    // This is how grpc-js ends a stream with a status.
    this.#stream.emit('error', { code: NUMBERS[rpcStatus(code)], details, metadata: trailers(code) })
  }

  /** @returns false if the packet was malformed. In this case, the call has ended with an error. */
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

/** Returns the address of the peer without the port. */
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
