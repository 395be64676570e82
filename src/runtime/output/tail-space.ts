/** What the tails of all capped outputs share: a limit of memory, and a folder for files when that is used up. */
export class TailSpace {
  /** Undefined when tails never go to files. */
  readonly spillFolder: string | undefined
  readonly #memoryBytes: number
  readonly #onFailure: (reason: string) => void
  #inMemory = 0
  #inFiles = 0

  /**
   * @param memoryBytes for all tails together
   * @param spillFolder for tails that get no more memory; undefined: they stay shorter. It should be on a disk, since
   * files in a tmpfs are memory again
   * @param onFailure is told, at most once per tail, why it cannot be kept in a file and will be shorter
   */
  constructor(
    memoryBytes: number,
    spillFolder: string | undefined,
    onFailure: (reason: string) => void = () => undefined,
  ) {
    this.#memoryBytes = memoryBytes
    this.spillFolder = spillFolder
    this.#onFailure = onFailure
  }

  /** Memory that tails hold now. */
  get bytesInMemory(): number {
    return this.#inMemory
  }

  /** The size of all files that tails hold now. */
  get bytesInFiles(): number {
    return this.#inFiles
  }

  /** How much memory `take` would still give. */
  get freeBytes(): number {
    return Math.max(0, this.#memoryBytes - this.#inMemory)
  }

  /** @returns false when there is not that much memory left: the caller has to go on without */
  take(bytes: number): boolean {
    if (bytes > this.freeBytes) return false
    this.#inMemory += bytes
    return true
  }

  /** Takes the little that every tail may have, even beyond the limit. */
  takeBeyondLimit(bytes: number): void {
    this.#inMemory += bytes
  }

  giveBack(bytes: number): void {
    this.#inMemory -= bytes
  }

  /** @param bytes by which a file grew; negative when it is removed */
  countFile(bytes: number): void {
    this.#inFiles += bytes
  }

  reportFailure(error: unknown): void {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    this.#onFailure(
      `the end of an output will be kept shorter, its file in ${this.spillFolder ?? ''} failed: ${reason}`,
    )
  }
}
