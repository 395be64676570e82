interface Frame {
  readonly bytes: number
  readonly taken: () => void
}

/** The frames that a tab was sent and its screen has not taken yet, the oldest first. */
export class Untaken {
  readonly #frames: Frame[] = []
  /** Of the oldest one, what was taken of it already. */
  #begun = 0
  #bytes = 0

  /** @param taken called when all of the frame was taken */
  add(bytes: number, taken: () => void): void {
    this.#frames.push({ bytes, taken })
    this.#bytes += bytes
  }

  /** @returns false for more than was sent */
  take(bytes: number): boolean {
    if (bytes > this.#bytes) return false
    this.#bytes -= bytes
    this.#begun += bytes
    for (
      let [oldest] = this.#frames;
      oldest !== undefined && oldest.bytes <= this.#begun;
      [oldest] = this.#frames
    ) {
      this.#frames.shift()
      this.#begun -= oldest.bytes
      oldest.taken()
    }
    return true
  }
}
