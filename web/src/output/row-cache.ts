import { textOfRow, type Row } from './ansi/row.ts'
import type { Block } from './block.ts'

/** Maximum estimated memory of all kept rows in bytes. */
const ROOM = 12 * 1024 * 1024
/** Estimated cost of a row in bytes, besides its text. */
const ROW_COST = 80

/** The rows of the most recently viewed blocks. */
export class RowCache {
  readonly #kept = new Map<Block, { readonly rows: readonly Row[]; readonly cost: number }>()
  #cost = 0

  keep(block: Block, rows: readonly Row[]): void {
    if (this.#kept.has(block)) return
    const cost = rows.reduce((sum, row) => sum + ROW_COST + 2 * textOfRow(row).length, 0)
    this.#kept.set(block, { rows, cost })
    this.#cost += cost
    for (const [oldest, { cost: freed }] of this.#kept) {
      if (this.#cost <= ROOM || oldest === block) break
      this.#kept.delete(oldest)
      this.#cost -= freed
    }
  }

  rows(block: Block): readonly Row[] | undefined {
    const kept = this.#kept.get(block)
    if (kept === undefined) return undefined
    // The most recently viewed block moves to the end.
    this.#kept.delete(block)
    this.#kept.set(block, kept)
    return kept.rows
  }
}
