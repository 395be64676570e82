/** Runs of covered bytes that were not given out yet, in order, with a gap between any two. */
export class CoveredRuns {
  #starts: number[] = []
  #ends: number[] = []
  #first = 0

  /** Start of the first run, Infinity when there is none. */
  get start(): number {
    return this.#starts[this.#first] ?? Infinity
  }

  /** @param end never smaller than in an earlier call */
  add(start: number, end: number): void {
    const last = this.#ends.length - 1
    if (last >= this.#first && this.#touches(last, start)) this.#extendLast(start, end)
    else this.#append(start, end)
  }

  /** Takes the first run, or its part before `limit`. @returns the end of what was taken */
  take(limit: number): number {
    const end = this.#ends[this.#first] ?? limit
    if (end > limit) {
      this.#starts[this.#first] = limit
      return limit
    }
    this.#first += 1
    this.#dropTaken()
    return end
  }

  #touches(run: number, start: number): boolean {
    return (this.#ends[run] ?? 0) >= start
  }

  /** Extends the last run. A long occurrence may join it with runs before it. */
  #extendLast(start: number, end: number): void {
    let last = this.#ends.length - 1
    while (last > this.#first && this.#touches(last - 1, start)) {
      this.#starts.pop()
      this.#ends.pop()
      last -= 1
    }
    this.#starts[last] = Math.min(this.#starts[last] ?? start, start)
    this.#ends[last] = end
  }

  #append(start: number, end: number): void {
    this.#starts.push(start)
    this.#ends.push(end)
  }

  #dropTaken(): void {
    if (this.#first * 2 < this.#starts.length) return
    this.#starts = this.#starts.slice(this.#first)
    this.#ends = this.#ends.slice(this.#first)
    this.#first = 0
  }
}
