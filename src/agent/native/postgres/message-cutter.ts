import { Head, StreamCutter } from '../rules/pieces.ts'
import { contentBytes, HEAD_BYTES } from './messages.ts'

/**
 * What the cutter does with a message: it keeps the message until it is whole, passes it on piece by piece,
 * or leaves it out.
 */
export type Handling = 'whole' | 'piece' | 'left out'

/** A whole message, a piece of a message, or the end of a message that was left out. */
export interface Cut {
  readonly type: number
  readonly handling: Handling
  /** Includes the message's head; empty if the message was left out. */
  readonly bytes: Buffer
}

/** @param length of the whole message, as the message's head says */
type Handle = (type: number, length: number) => Handling

/** Cuts a stream into messages. The stream arrives in pieces that may end anywhere. */
export class MessageCutter extends StreamCutter<Handle> {
  readonly #head = new Head(HEAD_BYTES)
  #type = 0
  #handling: Handling = 'whole'
  /** Number of the message's bytes that have not arrived. */
  #left = 0;

  /** @throws NativeError */
  *cut(bytes: Buffer): Generator<Cut, void, undefined> {
    for (let [start, at] = [0, 0]; at < bytes.length; start = at) {
      if (!this.#head.isWhole()) {
        at += this.#head.take(bytes, at)
        if (!this.#head.isWhole()) {
          this.pieces.add(bytes.subarray(start))
          return
        }
        this.#begin()
      }
      const taken = Math.min(this.#left, bytes.length - at)
      this.#left -= taken
      at += taken
      if (this.#handling !== 'left out') this.pieces.add(bytes.subarray(start, at))
      if (this.#left === 0) yield this.#end()
      else if (this.#handling === 'piece') yield this.#taken()
      else if (this.#handling === 'whole') this.pieces.wait(HEAD_BYTES + this.#left + taken)
    }
  }

  #begin(): void {
    this.#type = this.#head.bytes[0] ?? 0
    this.#left = contentBytes(this.#head.bytes.readUInt32BE(1))
    this.#handling = this.handle(this.#type, HEAD_BYTES + this.#left)
    if (this.#handling === 'left out') this.pieces.take()
  }

  #end(): Cut {
    this.#head.beginAnew()
    this.pieces.waitNoMore()
    return this.#taken()
  }

  #taken(): Cut {
    return { type: this.#type, handling: this.#handling, bytes: this.pieces.take() }
  }
}
