import type { RpcCode } from '../../contract/statuses.ts'
import type { Packet } from '../../wire/packet.ts'
import type { SignedIn } from '../identity.ts'

/** A call of one client: a gRPC stream, or the socket of a page. */
export interface ClientCall {
  /** Settles when the call is over. After this, nothing is sent. */
  readonly over: Promise<void>
  /** Set if the user signed in before the call began. A socket of the page has this value. */
  readonly signedIn?: SignedIn
  /** The client's address without the port. The text is empty if the address is unknown. */
  readonly ip: string
  readonly isOver: boolean
  readonly unsentBytes: number
  header(name: string): string | undefined
  /** Never blocks: callers that send much have to watch `unsentBytes`. Does nothing after the end. */
  send(packet: Packet): void
  /** Settles when at most this many bytes are unsent, or the call is over. */
  room(bytes: number): Promise<void>
  /** Yields the client's packets until the client ends its side, or the call is over. */
  packets(): AsyncGenerator<Packet, void, undefined>
  /** Sends all packets that are waiting, then ends the call without an error. */
  end(): void
  /** Drops packets that are not sent yet, and ends the call with an error. */
  fail(code: RpcCode, details: string): void
}

export interface ClientServer {
  serve(call: ClientCall): unknown
  close(): void
}

/**
 * Maximum number of bytes in gRPC or the socket. The other bytes wait in the outbox, which can still drop
 * them.
 */
const IN_FLIGHT_BYTES = 256 * 1024

interface Way<Item> {
  /** `taken` reports that the item was written. It is never called after the end. */
  readonly write: (item: Item, taken: () => void) => void
  /** Ends the connection after all written items are sent. */
  readonly finish: () => void
  readonly bytesOf: (item: Item) => number
}

/** Counts queued bytes, so that senders can wait until the peer has received enough. */
export class Outbox<Item> {
  readonly #way: Way<Item>
  readonly #waiting: Item[] = []
  readonly #senders: (() => void)[] = []
  #unsentBytes = 0
  #inFlightBytes = 0
  #isWriting = false
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

  get unsentBytes(): number {
    return this.#unsentBytes
  }

  /** Never blocks: callers that send much have to watch `unsentBytes`. Does nothing after the end. */
  send(item: Item): void {
    if (this.#state !== 'open') return
    this.#unsentBytes += this.#way.bytesOf(item)
    this.#waiting.push(item)
    this.#write()
  }

  /** Settles when at most this many bytes are unsent, or the connection is over. */
  async room(bytes: number): Promise<void> {
    while (this.#unsentBytes > bytes && this.#state !== 'over')
      await new Promise<void>((resolve) => this.#senders.push(resolve))
  }

  end(): void {
    if (this.#state !== 'open') return
    this.#state = 'ending'
    this.#write()
  }

  drop(): void {
    this.#state = 'over'
    this.#waiting.length = 0
    this.#unsentBytes = this.#inFlightBytes
    this.#wakeSenders()
  }

  /**
   * Writes waiting items in a loop. A recursion would overflow the stack after thousands of items, because
   * `write` may call `taken` at once.
   */
  #write(): void {
    if (this.#isWriting) return
    this.#isWriting = true
    while (this.#inFlightBytes < IN_FLIGHT_BYTES) {
      const item = this.#waiting.shift()
      if (item === undefined) break
      const bytes = this.#way.bytesOf(item)
      this.#inFlightBytes += bytes
      this.#way.write(item, () => this.#taken(bytes))
    }
    this.#isWriting = false
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
