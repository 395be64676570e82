import type { ServerHttp2Session } from 'node:http2'
import { Metadata, status, type ServerDuplexStream } from '@grpc/grpc-js'
import { CODE_TRAILER } from '../../wire/gateway-codes.ts'
import type { Packet } from '../../wire/packet.ts'
import { rpcStatus, type RpcCode, type RpcStatus } from '../statuses.ts'

/** What gRPC has at once. The rest waits here, where it is counted and can still be left out. */
const IN_FLIGHT_BYTES = 256 * 1024
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
export class PacketCall {
  /** Settles when the call is over, and nothing is sent any more. */
  readonly over: Promise<void>
  readonly #stream: ServerDuplexStream<Packet, Packet>
  readonly #waiting: Packet[] = []
  readonly #senders: (() => void)[] = []
  #unsentBytes = 0
  #inFlightBytes = 0
  #state: 'open' | 'ending' | 'over' = 'open'

  constructor(stream: ServerDuplexStream<Packet, Packet>) {
    this.#stream = stream
    this.over = new Promise((resolve) => {
      const over = () => {
        this.#end('over')
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

  /** The peer's address, without the port; empty where it is unknown. */
  get ip(): string {
    return this.#stream
      .getPeer()
      .replace(/:\d+$/, '')
      .replace(/^\[(.*)\]$/, '$1')
  }

  get isOver(): boolean {
    return this.#state === 'over'
  }

  /** Bytes sent that the peer has not taken yet. */
  get unsentBytes(): number {
    return this.#unsentBytes
  }

  /** Never blocks: whoever sends much has to watch `unsentBytes`. Does nothing after the end. */
  send(packet: Packet): void {
    if (this.#state !== 'open') return
    this.#unsentBytes += bytesOf(packet)
    this.#waiting.push(packet)
    this.#write()
  }

  /** Settles when at most so many bytes are unsent, or the call is over. */
  async room(bytes: number): Promise<void> {
    while (this.#unsentBytes > bytes && this.#state !== 'over')
      await new Promise<void>((resolve) => this.#senders.push(resolve))
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
      else if (this.#stream.readableEnded || this.#state === 'over') return
      else await new Promise<void>((resolve) => (wake = resolve))
    }
  }

  /** Lets it have more on the way, on all streams of its connection. For peers that are known: it is our memory. */
  widen(): void {
    const session = (this.#stream as unknown as OverHttp2).call.stream?.session
    session?.settings({ initialWindowSize: WINDOW_BYTES })
    session?.setLocalWindowSize(WINDOW_BYTES)
  }

  /** The orderly end, with status OK, after everything that was sent. */
  end(): void {
    if (this.#state !== 'open') return
    this.#end('ending')
    this.#write()
  }

  /** Ends the call with the status of a code. What still waits here is not sent. */
  fail(code: RpcCode, details: string): void {
    if (this.#state !== 'open') return
    this.#end('over')
    // This is how grpc-js ends a stream with a status.
    this.#stream.emit('error', { code: NUMBERS[rpcStatus(code)], details, metadata: trailers(code) })
  }

  #write(): void {
    while (this.#inFlightBytes < IN_FLIGHT_BYTES) {
      const packet = this.#waiting.shift()
      if (packet === undefined) break
      const bytes = bytesOf(packet)
      this.#inFlightBytes += bytes
      this.#stream.write(packet, () => this.#taken(bytes))
    }
    if (this.#state === 'ending' && this.#waiting.length === 0 && !this.#stream.writableEnded)
      this.#stream.end()
  }

  #taken(bytes: number): void {
    this.#inFlightBytes -= bytes
    this.#unsentBytes -= bytes
    if (this.#state !== 'over') this.#write()
    this.#wakeSenders()
  }

  /** The one place that changes the state. */
  #end(state: 'ending' | 'over'): void {
    this.#state = state
    if (state === 'ending') return
    this.#waiting.length = 0
    this.#unsentBytes = this.#inFlightBytes
    this.#wakeSenders()
  }

  #wakeSenders(): void {
    for (const wake of this.#senders.splice(0)) wake()
  }
}

function trailers(code: RpcCode): Metadata {
  const metadata = new Metadata()
  metadata.set(CODE_TRAILER, code)
  return metadata
}

function bytesOf({ payload, spec }: Packet): number {
  return Object.values(spec).reduce((sum, { length }) => sum + length, payload.length + PACKET_OVERHEAD_BYTES)
}
