import { MAX_ROW_CHARACTERS } from './ansi/rows.ts'
import { textOfRow, type Row } from './ansi/row.ts'

const BEGIN = '::group::'
const END = '::endgroup::'

/** Maximum number of groups. Later markers are ordinary rows. */
const MAX_GROUPS = 20_000
/** Maximum number of characters of a name. The page keeps names even if it drops their rows. */
const MAX_NAME_CHARACTERS = 100

/** Rows between two markers, as GitHub Actions writes them: `::group::NAME` and `::endgroup::`. */
export interface Group {
  readonly name: string
  /** The row of the first marker. The rows of the group follow. */
  readonly row: number
  /** The row after the last row of the group; undefined while the group is open. */
  readonly end: number | undefined
  /** Whether the row `end` is a marker. A group without an end ends before the next group. */
  readonly hasEndMarker: boolean
}

/** Finds the groups of an output. */
export class Groups {
  readonly all: Group[] = []
  /** Grows when a group begins or ends. */
  changes = 0
  #isContinued = false

  /** Looks at the next complete row. */
  look(row: Row, index: number): void {
    // A long line continues in the next row, which does not begin a line.
    const isContinued = this.#isContinued
    this.#isContinued = false
    const start = typeof row === 'string' ? row : (row[0]?.text ?? '')
    if (!isContinued && start.startsWith('::')) this.#read(textOfRow(row), index)
    if (start.length >= MAX_ROW_CHARACTERS || typeof row !== 'string')
      this.#isContinued = textOfRow(row).length >= MAX_ROW_CHARACTERS
  }

  #read(text: string, index: number): void {
    if (text.startsWith(BEGIN) && this.all.length < MAX_GROUPS) {
      this.#end(index, false)
      this.all.push({ name: nameOf(text), row: index, end: undefined, hasEndMarker: false })
      this.changes += 1
    } else if (text.trimEnd() === END) this.#end(index, true)
  }

  #end(end: number, hasEndMarker: boolean): void {
    const last = this.all.at(-1)
    if (last === undefined || last.end !== undefined) return
    this.all[this.all.length - 1] = { ...last, end, hasEndMarker }
    this.changes += 1
  }
}

/** Returns a copy: a part of the row would keep the whole row in memory. */
function nameOf(text: string): string {
  const name = Array.from(text.slice(BEGIN.length, BEGIN.length + 2 * MAX_NAME_CHARACTERS).trim())
  return name.length > MAX_NAME_CHARACTERS ? `${name.slice(0, MAX_NAME_CHARACTERS).join('')}…` : name.join('')
}
