/** Between two characters of a wrapped text: a line feed, or a carriage return and a line feed. */
const MOST_BETWEEN = 2

export function isLineBreak(byte: number): boolean {
  return byte === 0x0a || byte === 0x0d
}

/** Offsets of the line breaks in the part of the stream that is followed without them, in order. */
export class LineBreaks {
  #offsets: number[] = []

  /** @returns false when there are too many in a row for a wrapped text */
  add(offset: number): boolean {
    this.#offsets.push(offset)
    return this.#offsets.at(-1 - MOST_BETWEEN) !== offset - MOST_BETWEEN
  }

  clear(): void {
    if (this.#offsets.length > 0) this.#offsets = []
  }

  /** @returns the offset of the last `length` bytes before `end` that are not breaks */
  startOf(length: number, end: number): number {
    return end - length - this.#within(end - length)
  }

  /** Forgets line breaks before the last `length` bytes that are not breaks. */
  keepWithin(length: number, end: number): void {
    const within = this.#within(end - length)
    if (within < this.#offsets.length) this.#offsets = within === 0 ? [] : this.#offsets.slice(-within)
  }

  /** How many lie after `start`, the place where it would be if there were none: each moves it by one. */
  #within(start: number): number {
    const offsets = this.#offsets
    let [low, high] = [0, offsets.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((offsets[middle] ?? 0) + offsets.length - middle > start) high = middle
      else low = middle + 1
    }
    return offsets.length - low
  }
}
