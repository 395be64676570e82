/** Keeps the beginning of an output in memory, and counts the bytes after it. */
export class Captured {
  readonly #keepBytes: number
  readonly #chunks: Buffer[] = []
  #kept = 0
  #leftOut = 0

  constructor(keepBytes: number) {
    this.#keepBytes = keepBytes
  }

  get leftOut(): number {
    return this.#leftOut
  }

  add(data: Buffer): void {
    const kept = data.subarray(0, this.#keepBytes - this.#kept)
    if (kept.length > 0) this.#chunks.push(kept)
    this.#kept += kept.length
    this.#leftOut += data.length - kept.length
  }

  /** Bytes that are not UTF-8 become U+FFFD, as in Go's JSON. */
  text(): string {
    return Buffer.concat(this.#chunks).toString('utf8')
  }
}
