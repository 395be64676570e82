import type { Group } from './groups.ts'

/** A finished group with more rows is folded until the user opens it. */
const LONG_ROWS = 20

interface Folded {
  readonly rowCount: number
  readonly isRunning: boolean
  /** What the user has chosen, by the row of the group. */
  readonly choices: ReadonlyMap<number, 'open' | 'folded'>
}

/** Which rows of an output are shown. Rows of folded groups and the markers of ends are not. */
export class Folding {
  readonly #groups: readonly Group[]
  readonly #asked: Folded
  /** Each group hides the rows from `#from` up to `#to`; none if both are equal. */
  readonly #from: Float64Array
  readonly #to: Float64Array
  /** Number of rows that are hidden before the group of this index. */
  readonly #before: Float64Array
  readonly shownCount: number

  constructor(groups: readonly Group[], asked: Folded) {
    this.#groups = groups
    this.#asked = asked
    this.#from = new Float64Array(groups.length)
    this.#to = new Float64Array(groups.length)
    this.#before = new Float64Array(groups.length + 1)
    for (const [index, group] of groups.entries()) {
      const end = group.end ?? asked.rowCount
      const from = this.#isFolded(group) ? group.row + 1 : end
      const to = group.hasEndMarker ? end + 1 : end
      this.#from[index] = from
      this.#to[index] = to
      this.#before[index + 1] = (this.#before[index] ?? 0) + to - from
    }
    this.shownCount = asked.rowCount - (this.#before.at(-1) ?? 0)
  }

  /** Returns the row at a place among the shown rows. */
  rowAt(place: number): number {
    const passed = this.#count((index) => (this.#from[index] ?? 0) - (this.#before[index] ?? 0) <= place)
    return place + (this.#before[passed] ?? 0)
  }

  /** Returns the place of a row; of a hidden row the place of the next shown row. */
  placeOf(row: number): number {
    const passed = this.#count((index) => (this.#from[index] ?? 0) <= row)
    const hidden = Math.max(0, (this.#to[passed - 1] ?? 0) - 1 - row)
    const isHidden = passed > 0 && row < (this.#to[passed - 1] ?? 0)
    return row - (this.#before[passed] ?? 0) + (isHidden ? hidden + 1 : 0)
  }

  /** Returns the group whose marker is in this row. */
  groupAt(row: number): ShownGroup | undefined {
    const group = this.#groupBefore(row)
    if (group?.row !== row) return undefined
    return {
      name: group.name,
      rows: (group.end ?? this.#asked.rowCount) - row - 1,
      isFolded: this.#isFolded(group),
    }
  }

  /** Returns the marker's row of the folded group that hides this row. */
  foldedAt(row: number): number | undefined {
    const group = this.#groupBefore(row)
    const isInside = group !== undefined && row > group.row && row <= (group.end ?? Infinity)
    return isInside && this.#isFolded(group) && (row !== group.end || group.hasEndMarker)
      ? group.row
      : undefined
  }

  #groupBefore(row: number): Group | undefined {
    return this.#groups[this.#count((index) => (this.#groups[index]?.row ?? 0) <= row) - 1]
  }

  #isFolded(group: Group): boolean {
    const choice = this.#asked.choices.get(group.row)
    if (choice !== undefined) return choice === 'folded'
    if (group.end === undefined && this.#asked.isRunning) return false
    return (group.end ?? this.#asked.rowCount) - group.row - 1 > LONG_ROWS
  }

  /** Returns the number of groups that pass the test. Groups that pass come before those that do not. */
  #count(test: (index: number) => boolean): number {
    let [low, high] = [0, this.#groups.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (test(middle)) low = middle + 1
      else high = middle
    }
    return low
  }
}

export interface ShownGroup {
  readonly name: string
  readonly rows: number
  readonly isFolded: boolean
}
