/** Moments that are nearer to each other are one: a mark each 100 ms is what a day of output can have. */
const APART_MS = 100

/** When each row was begun, by the events in which the rows came. */
export class RowTimes {
  readonly #rows: number[] = []
  readonly #times: number[] = []

  /** Rows from here on were begun at this time, in ms since 1970. */
  mark(row: number, time: number): void {
    if (time - (this.#times.at(-1) ?? -Infinity) < APART_MS) return
    this.#rows.push(row)
    this.#times.push(time)
  }

  /** Undefined before the first mark. */
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
