import { HEADER_BYTES, LARGEST_PACKET } from './packets.ts'

/**
 * The handling of a packet: it is kept until it is whole, passed on piece by piece, or left out with its
 * further packets.
 */
export type Handling = 'whole' | 'piece' | 'left out'

/** A whole packet, or a piece of a packet that may go on in others. */
export interface Cut {
  readonly handling: Handling
  /** Bytes with headers; empty when the packet was left out. */
  readonly bytes: Buffer
  readonly seq: number
  /** The content of a whole packet. */
  readonly content: Buffer
  readonly isFirst: boolean
  readonly isLast: boolean
  /** Number of packets so far over which the content is spread. */
  readonly packets: number
}

export interface CutterNeeds {
  /**
   * @param first the first byte of the content; undefined for none
   * @param length of the packet, without its header
   * @param goesOn whether it goes on in further packets
   */
  readonly handle: (first: number | undefined, length: number, goesOn: boolean) => Handling
  /** Called with each change of the number of waiting bytes. */
  readonly waits: (bytes: number) => void
}

const MAX_PIECES = 1000
const NOTHING = Buffer.alloc(0)

/** Cuts a stream into its packets; the pieces of the stream may end anywhere. */
export class PacketCutter implements Disposable {
  readonly #needs: CutterNeeds
  readonly #header = Buffer.alloc(HEADER_BYTES)
  #headerBytes = 0
  /** Bytes of the packet that are still to come. */
  #left = 0
  #goesOn = false
  #isFirst = true
  #handling: Handling | undefined
  #packets = 0
  #pieces: Buffer[] = []
  #waiting = 0

  constructor(needs: CutterNeeds) {
    this.#needs = needs
  }

  [Symbol.dispose](): void {
    this.#wait(0)
    this.#pieces = []
  }

  *cut(bytes: Buffer): Generator<Cut, void, undefined> {
    let [start, at] = [0, 0]
    while (at < bytes.length) {
      if (this.#headerBytes < HEADER_BYTES) {
        const taken = Math.min(HEADER_BYTES - this.#headerBytes, bytes.length - at)
        bytes.copy(this.#header, this.#headerBytes, at, at + taken)
        this.#headerBytes += taken
        at += taken
        if (this.#headerBytes < HEADER_BYTES) break
        this.#begin()
        if (this.#left > 0 && at === bytes.length) break
      }
      this.#handling ??= this.#needs.handle(this.#left > 0 ? bytes[at] : undefined, this.#left, this.#goesOn)
      const taken = Math.min(this.#left, bytes.length - at)
      this.#left -= taken
      at += taken
      if (this.#left > 0) break
      this.#headerBytes = 0
      if (this.#goesOn) continue
      this.#keep(bytes.subarray(start, at))
      yield this.#taken(true)
      start = at
    }
    this.#keep(bytes.subarray(start))
    if (this.#handling === 'piece') yield this.#taken(false)
    else if (this.#handling === 'whole' && this.#waiting === 0)
      this.#wait(HEADER_BYTES + this.#header.readUIntLE(0, 3))
  }

  #begin(): void {
    this.#left = this.#header.readUIntLE(0, 3)
    this.#goesOn = this.#left === LARGEST_PACKET
    this.#packets += 1
  }

  #keep(piece: Buffer): void {
    if (piece.length === 0 || this.#handling === 'left out') return
    this.#pieces.push(piece)
    // A buffer costs more than a byte, and a peer may send byte by byte.
    if (this.#pieces.length > MAX_PIECES) this.#pieces = [Buffer.concat(this.#pieces)]
  }

  #taken(isLast: boolean): Cut {
    const pieces = this.#handling === 'left out' ? [] : this.#pieces
    const bytes = pieces.length === 1 ? (pieces[0] ?? NOTHING) : Buffer.concat(pieces)
    const cut: Cut = {
      handling: this.#handling ?? 'whole',
      bytes,
      seq: this.#header[3] ?? 0,
      content: this.#handling === 'whole' ? bytes.subarray(HEADER_BYTES) : NOTHING,
      isFirst: this.#isFirst,
      isLast,
      packets: this.#packets,
    }
    this.#pieces = []
    this.#isFirst = isLast
    if (!isLast) return cut
    this.#handling = undefined
    this.#packets = 0
    this.#wait(0)
    return cut
  }

  #wait(bytes: number): void {
    if (bytes !== this.#waiting) this.#needs.waits(bytes - this.#waiting)
    this.#waiting = bytes
  }
}
