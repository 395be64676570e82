import type { RpcCode } from '../../contract/statuses.ts'
import type { Packet } from '../../wire/packet.ts'
import type { SignedIn } from '../identity.ts'

/** The way to one client: a stream of gRPC, or the socket of a page. */
export interface ClientCall {
  /** Settles when the call is over, and nothing is sent any more. */
  readonly over: Promise<void>
  /** Who asks, where that was found out before the call began. */
  readonly signedIn?: SignedIn
  /** The client's address, without the port; empty where it is unknown. */
  readonly ip: string
  readonly isOver: boolean
  /** Bytes sent that the client has not taken yet. */
  readonly unsentBytes: number
  /** What the client says of itself and of what it wants. */
  header(name: string): string | undefined
  /** Never blocks: whoever sends much has to watch `unsentBytes`. Does nothing after the end. */
  send(packet: Packet): void
  /** Settles when at most so many bytes are unsent, or the call is over. */
  room(bytes: number): Promise<void>
  /** What the client sends, read as it is asked for. Ends when the client has ended its side, or the call is over. */
  packets(): AsyncGenerator<Packet, void, undefined>
  /** The orderly end, after everything that was sent. */
  end(): void
  /** The end with a code. What still waits here is not sent. */
  fail(code: RpcCode, details: string): void
}

/** Serves the calls of clients. */
export interface ClientServer {
  serve(call: ClientCall): unknown
  /** Ends them. */
  close(): void
}

/** What the way to a peer has at once. The rest waits here, where it is counted and can still be left out. */
const IN_FLIGHT_BYTES = 256 * 1024

/** The way to a peer. */
interface Way<Item> {
  /** @param taken called when the way has room for it again, or never, when it is over */
  readonly write: (item: Item, taken: () => void) => void
  /** The orderly end, behind everything that was written. */
  readonly finish: () => void
  readonly bytesOf: (item: Item) => number
}

/** What is sent to a peer, counted in bytes, so that whoever sends much can wait until it was taken. */
export class Outbox<Item> {
  readonly #way: Way<Item>
  readonly #waiting: Item[] = []
  readonly #senders: (() => void)[] = []
  #unsentBytes = 0
  #inFlightBytes = 0
  #state: 'open' | 'ending' | 'ended' | 'over' = 'open'

  constructor(way: Way<Item>) {
    this.#way = way
  }

  get isOpen(): boolean {
    return this.#state === 'open'
  }

  get isOver(): boolean {
    return this.#state === 'over'
  }

  /** Bytes sent that the peer has not taken yet. */
  get unsentBytes(): number {
    return this.#unsentBytes
  }

  /** Never blocks: whoever sends much has to watch `unsentBytes`. Does nothing after the end. */
  send(item: Item): void {
    if (this.#state !== 'open') return
    this.#unsentBytes += this.#way.bytesOf(item)
    this.#waiting.push(item)
    this.#write()
  }

  /** Settles when at most so many bytes are unsent, or it is over. */
  async room(bytes: number): Promise<void> {
    while (this.#unsentBytes > bytes && this.#state !== 'over')
      await new Promise<void>((resolve) => this.#senders.push(resolve))
  }

  /** Sends what waits, and then ends. */
  end(): void {
    if (this.#state !== 'open') return
    this.#state = 'ending'
    this.#write()
  }

  /** Sends nothing more: what still waits is left out. */
  drop(): void {
    this.#state = 'over'
    this.#waiting.length = 0
    this.#unsentBytes = this.#inFlightBytes
    this.#wakeSenders()
  }

  #write(): void {
    while (this.#inFlightBytes < IN_FLIGHT_BYTES) {
      const item = this.#waiting.shift()
      if (item === undefined) break
      const bytes = this.#way.bytesOf(item)
      this.#inFlightBytes += bytes
      this.#way.write(item, () => this.#taken(bytes))
    }
    if (this.#state !== 'ending' || this.#waiting.length > 0) return
    this.#state = 'ended'
    this.#way.finish()
  }

  #taken(bytes: number): void {
    this.#inFlightBytes -= bytes
    this.#unsentBytes -= bytes
    if (this.#state !== 'over') this.#write()
    this.#wakeSenders()
  }

  #wakeSenders(): void {
    for (const wake of this.#senders.splice(0)) wake()
  }
}
