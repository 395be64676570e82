/**
 * Times that are nearer to each other count as one. At most one mark per 100 ms stays affordable for a day of
 * output.
 */
const APART_MS = 100

/** The time at which each row was begun, from the events with the rows. */
export class RowTimes {
  readonly #rows: number[] = []
  readonly #times: number[] = []

  /** Marks that rows from this one on were begun at this time, in ms since 1970. */
  mark(row: number, time: number): void {
    if (time - (this.#times.at(-1) ?? -Infinity) < APART_MS) return
    this.#rows.push(row)
    this.#times.push(time)
  }

  /** Returns undefined before the first mark. */
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
