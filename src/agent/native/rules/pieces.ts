/** The head of a message or packet; it may arrive in pieces. */
export class Head {
  readonly bytes: Buffer
  #taken = 0

  constructor(length: number) {
    this.bytes = Buffer.alloc(length)
  }

  isWhole(): boolean {
    return this.#taken === this.bytes.length
  }

  /** Returns the number of bytes from `at` that belong to the head. */
  take(bytes: Buffer, at: number): number {
    const taken = Math.min(this.bytes.length - this.#taken, bytes.length - at)
    bytes.copy(this.bytes, this.#taken, at, at + taken)
    this.#taken += taken
    return taken
  }

  beginAnew(): void {
    this.#taken = 0
  }
}

interface Held {
  readonly hold: (bytes: number) => void
}

const MAX_PIECES = 1000

class Pieces implements Disposable {
  readonly #rules: Held
  #pieces: Buffer[] = []
  #waiting = 0

  constructor(rules: Held) {
    this.#rules = rules
  }

  add(piece: Buffer): void {
    if (piece.length === 0) return
    this.#pieces.push(piece)
    // Many pieces are joined: a buffer object needs more memory than one byte, and a peer may send byte by
    // byte.
    if (this.#pieces.length > MAX_PIECES) this.#pieces = [Buffer.concat(this.#pieces)]
  }

  take(): Buffer {
    const [first = Buffer.alloc(0), ...others] = this.#pieces
    this.#pieces = []
    return others.length === 0 ? first : Buffer.concat([first, ...others])
  }

  /** @param bytes length of the whole message */
  wait(bytes: number): void {
    if (this.#waiting === 0) this.#count(bytes)
  }

  waitNoMore(): void {
    this.#count(0)
  }

  [Symbol.dispose](): void {
    this.#count(0)
    this.#pieces = []
  }

  #count(bytes: number): void {
    if (bytes !== this.#waiting) this.#rules.hold(bytes - this.#waiting)
    this.#waiting = bytes
  }
}

/** Cuts a stream into messages. `handle` is called as soon as the head of a message is known. */
export abstract class StreamCutter<Handle> implements Disposable {
  protected readonly handle: Handle
  protected readonly pieces: Pieces

  constructor(rules: Held, handle: Handle) {
    this.handle = handle
    this.pieces = new Pieces(rules)
  }

  [Symbol.dispose](): void {
    this.pieces[Symbol.dispose]()
  }
}
