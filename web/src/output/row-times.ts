/** Minimum time in ms between two recorded times. This limits the memory for a day of output. */
const APART_MS = 100

/** The times at which rows of an output began. */
export class RowTimes {
  readonly #rows: number[] = []
  readonly #times: number[] = []

  /** Records when this row and the next rows began, in ms since 1970. */
  mark(row: number, time: number): void {
    if (time - (this.#times.at(-1) ?? -Infinity) < APART_MS) return
    this.#rows.push(row)
    this.#times.push(time)
  }

  /** Returns undefined for rows before the first recorded time. */
  at(row: number): number | undefined {
    let [low, high] = [0, this.#rows.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#rows[middle] ?? 0) <= row) low = middle + 1
      else high = middle
    }
    return this.#times[low - 1]
  }
}
