interface Frame {
  readonly bytes: number
  readonly taken: () => void
}

/** The frames that a tab was sent and its screen has not taken yet, the oldest first. */
export class Untaken {
  readonly #frames: Frame[] = []
  /** How much of the oldest piece was taken already. */
  #begun = 0
  #bytes = 0
  #isReleased = false

  /**
   * @param taken called when all of the frame was taken
   * @returns false when nothing is waited for any more
   */
  add(bytes: number, taken: () => void): boolean {
    if (this.#isReleased) return false
    this.#frames.push({ bytes, taken })
    this.#bytes += bytes
    return true
  }

  /** From now on the screen is not waited for. */
  release(): void {
    this.#isReleased = true
    for (const { taken } of this.#frames.splice(0)) taken()
  }

  /** @returns false for more than was sent */
  take(bytes: number): boolean {
    if (this.#isReleased) return true
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
