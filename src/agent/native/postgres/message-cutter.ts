import { contentBytes, HEAD_BYTES } from './messages.ts'

/** The handling of a message: it is kept until it is whole, passed on piece by piece, or left out. */
export type Handling = 'whole' | 'piece' | 'left out'

/** A whole message, a piece of one, or the end of one that was left out. */
export interface Cut {
  readonly type: number
  readonly handling: Handling
  /** Bytes with the message's head; empty when the message was left out. */
  readonly bytes: Buffer
}

export interface CutterNeeds {
  /** @param length of the whole message, known before it has come */
  readonly handle: (type: number, length: number) => Handling
  /** Called with each change of the number of waiting bytes. */
  readonly waits: (bytes: number) => void
}

const MAX_PIECES = 1000

/** Cuts a stream into its messages; the pieces of the stream may end anywhere. */
export class MessageCutter implements Disposable {
  readonly #needs: CutterNeeds
  readonly #head = Buffer.alloc(HEAD_BYTES)
  #headBytes = 0
  #type = 0
  #handling: Handling = 'whole'
  /** Bytes of the message that are still to come. */
  #left = 0
  #pieces: Buffer[] = []
  #waiting = 0

  constructor(needs: CutterNeeds) {
    this.#needs = needs
  }

  [Symbol.dispose](): void {
    this.#wait(0)
    this.#pieces = []
  }

  /** @throws NativeError */
  *cut(bytes: Buffer): Generator<Cut, void, undefined> {
    for (let [start, at] = [0, 0]; at < bytes.length; start = at) {
      if (this.#headBytes < HEAD_BYTES) {
        const taken = Math.min(HEAD_BYTES - this.#headBytes, bytes.length - at)
        bytes.copy(this.#head, this.#headBytes, at, at + taken)
        this.#headBytes += taken
        at += taken
        if (this.#headBytes < HEAD_BYTES) {
          this.#keep(bytes.subarray(start))
          return
        }
        this.#begin()
      }
      const taken = Math.min(this.#left, bytes.length - at)
      this.#left -= taken
      at += taken
      if (this.#handling !== 'left out') this.#keep(bytes.subarray(start, at))
      if (this.#left === 0) yield this.#end()
      else if (this.#handling === 'piece') yield this.#taken()
      else if (this.#handling === 'whole' && this.#waiting === 0) this.#wait(HEAD_BYTES + this.#left + taken)
    }
  }

  #keep(piece: Buffer): void {
    this.#pieces.push(piece)
    // A buffer costs more than a byte, and a peer may send byte by byte.
    if (this.#pieces.length > MAX_PIECES) this.#pieces = [Buffer.concat(this.#pieces)]
  }

  #begin(): void {
    this.#type = this.#head[0] ?? 0
    this.#left = contentBytes(this.#head.readUInt32BE(1))
    this.#handling = this.#needs.handle(this.#type, HEAD_BYTES + this.#left)
    if (this.#handling === 'left out') this.#pieces = []
  }

  #end(): Cut {
    this.#headBytes = 0
    this.#wait(0)
    return this.#taken()
  }

  #taken(): Cut {
    const pieces = this.#pieces
    this.#pieces = []
    const bytes = pieces.length === 1 ? (pieces[0] ?? Buffer.alloc(0)) : Buffer.concat(pieces)
    return { type: this.#type, handling: this.#handling, bytes }
  }

  #wait(bytes: number): void {
    if (bytes !== this.#waiting) this.#needs.waits(bytes - this.#waiting)
    this.#waiting = bytes
  }
}
