import { Head, StreamCutter } from '../rules/pieces.ts'
import { HEADER_BYTES, MAX_PACKET_BYTES } from './packets.ts'

/**
 * What the cutter does with a packet: it keeps the packet until it is whole, passes it on piece by piece, or
 * leaves it out together with the packets that continue it.
 */
export type Handling = 'whole' | 'piece' | 'left out'

/** A whole packet, or a piece of a packet. Further packets may continue it. */
export interface Cut {
  readonly handling: Handling
  /** Includes headers; empty if the packet was left out. */
  readonly bytes: Buffer
  readonly seq: number
  /** Empty unless the packet is whole. */
  readonly content: Buffer
  readonly isFirst: boolean
  readonly isLast: boolean
  /** Number of packets so far that contain parts of the content. */
  readonly packets: number
}

/**
 * @param first the first byte of the content; undefined for an empty packet
 * @param length of the packet, without its header
 * @param goesOn whether further packets continue the packet
 */
type Handle = (first: number | undefined, length: number, goesOn: boolean) => Handling

const NOTHING = Buffer.alloc(0)

/** Cuts a stream into packets. The stream arrives in pieces that may end anywhere. */
export class PacketCutter extends StreamCutter<Handle> {
  readonly #header = new Head(HEADER_BYTES)
  /** Number of the packet's bytes that have not arrived. */
  #left = 0
  #goesOn = false
  #isFirst = true
  #handling: Handling | undefined
  #packets = 0;

  *cut(bytes: Buffer): Generator<Cut, void, undefined> {
    let [start, at] = [0, 0]
    while (at < bytes.length) {
      if (!this.#header.isWhole()) {
        at += this.#header.take(bytes, at)
        if (!this.#header.isWhole()) break
        this.#begin()
        if (this.#left > 0 && at === bytes.length) break
      }
      this.#handling ??= this.handle(this.#left > 0 ? bytes[at] : undefined, this.#left, this.#goesOn)
      const taken = Math.min(this.#left, bytes.length - at)
      this.#left -= taken
      at += taken
      if (this.#left > 0) break
      this.#header.beginAnew()
      if (this.#goesOn) continue
      this.#keep(bytes.subarray(start, at))
      yield this.#taken(true)
      start = at
    }
    this.#keep(bytes.subarray(start))
    if (this.#handling === 'piece') yield this.#taken(false)
    else if (this.#handling === 'whole') this.pieces.wait(HEADER_BYTES + this.#header.bytes.readUIntLE(0, 3))
  }

  #begin(): void {
    this.#left = this.#header.bytes.readUIntLE(0, 3)
    this.#goesOn = this.#left === MAX_PACKET_BYTES
    this.#packets += 1
  }

  #keep(piece: Buffer): void {
    if (this.#handling !== 'left out') this.pieces.add(piece)
  }

  #taken(isLast: boolean): Cut {
    const bytes = this.pieces.take()
    const cut: Cut = {
      handling: this.#handling ?? 'whole',
      bytes: this.#handling === 'left out' ? NOTHING : bytes,
      seq: this.#header.bytes[3] ?? 0,
      content: this.#handling === 'whole' ? bytes.subarray(HEADER_BYTES) : NOTHING,
      isFirst: this.#isFirst,
      isLast,
      packets: this.#packets,
    }
    this.#isFirst = isLast
    if (!isLast) return cut
    this.#handling = undefined
    this.#packets = 0
    this.pieces.waitNoMore()
    return cut
  }
}
