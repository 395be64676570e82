/** Keeps the beginning of an output in memory, and counts the rest. */
export class Captured {
  readonly #keepBytes: number
  readonly #chunks: Buffer[] = []
  #kept = 0
  #leftOut = 0

  /** @param keepBytes how much is kept */
  constructor(keepBytes: number) {
    this.#keepBytes = keepBytes
  }

  /** Bytes that came after what is kept. */
  get leftOut(): number {
    return this.#leftOut
  }

  add(data: Buffer): void {
    const kept = data.subarray(0, this.#keepBytes - this.#kept)
    if (kept.length > 0) this.#chunks.push(kept)
    this.#kept += kept.length
    this.#leftOut += data.length - kept.length
  }

  /** What is not UTF-8 becomes U+FFFD, as in Go's JSON. */
  text(): string {
    return Buffer.concat(this.#chunks).toString('utf8')
  }
}
