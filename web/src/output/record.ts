import { signal } from '@preact/signals'
import { bytesOf } from '../api/base64.ts'
import { RowReader, type Source } from './ansi/rows.ts'
import type { Row } from './ansi/row.ts'
import type { Style } from './ansi/style.ts'
import { sourceOf, type Block, type OutputEvent } from './block.ts'
import { Groups } from './groups.ts'
import { RowCache } from './row-cache.ts'
import { RowTimes } from './row-times.ts'

/** Size of a block in bytes. Many small blocks cost memory; large blocks take long to read again. */
const BLOCK_BYTES = 128 * 1024
/** Maximum length of a block in bytes. A block ends at this length even if no line ends there. */
const MAX_BLOCK_BYTES = 1024 * 1024

interface OpenBlock {
  readonly from: string
  readonly skip: number
  readonly style: Style
  readonly firstRow: number
  bytes: number
  rows: Row[]
}

/**
 * The output of one session. It keeps the number of rows and their places. It keeps the rows themselves only
 * for the blocks that the user viewed last.
 */
export class OutputRecord {
  /** Grows with each change; views subscribe to it. */
  readonly version = signal(0)
  readonly blocks: Block[] = []
  readonly cache: RowCache
  readonly times = new RowTimes()
  readonly groups = new Groups()
  #open: OpenBlock
  #reader = new RowReader()
  #decoder = new TextDecoder()
  #place: string

  /** `start` is the place before the first event. */
  constructor(start: string) {
    this.#place = start
    this.#open = { from: start, skip: 0, style: 0, firstRow: 0, bytes: 0, rows: [] }
    this.cache = new RowCache()
  }

  /** The place after the last event. */
  get place(): string {
    return this.#place
  }

  get rowCount(): number {
    return this.#open.firstRow + this.#open.rows.length + (this.#reader.current === undefined ? 0 : 1)
  }

  get bytes(): number {
    return this.blocks.reduce((sum, { bytes }) => sum + bytes, 0) + this.#open.bytes
  }

  add(events: readonly OutputEvent[]): void {
    for (const event of events) this.#addOne(event)
    this.version.value++
  }

  /** Returns undefined when the row's block (`blockOf`) must be read again. */
  row(index: number): Row | undefined {
    const open = index - this.#open.firstRow
    if (open >= 0) return this.#open.rows[open] ?? this.#reader.current
    const block = this.blockOf(index)
    return block && this.cache.rows(block)?.[index - block.firstRow]
  }

  blockOf(index: number): Block | undefined {
    let [low, high] = [0, this.blocks.length - 1]
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if ((this.blocks[middle]?.firstRow ?? 0) <= index) low = middle
      else high = middle - 1
    }
    return this.blocks[low]
  }

  /** The rows that are not in a block yet. */
  get openRows(): { readonly firstRow: number; readonly rows: readonly Row[] } {
    const { firstRow, rows } = this.#open
    const { current } = this.#reader
    return { firstRow, rows: current === undefined ? rows : [...rows, current] }
  }

  #addOne(event: OutputEvent): void {
    const source = sourceOf(event)
    if (source !== undefined) {
      if (event.time !== undefined) this.times.mark(this.rowCount, Date.parse(event.time))
      this.#write(bytesOf(event.payload), source)
    }
    this.#place = event.place
  }

  #write(bytes: Uint8Array, source: Source): void {
    const end = this.#open.bytes + bytes.length < BLOCK_BYTES ? -1 : bytes.lastIndexOf(10) + 1
    if (end > 0) {
      this.#feed(bytes.subarray(0, end), source)
      this.#seal(end)
      this.#feed(bytes.subarray(end), source)
    } else {
      this.#feed(bytes, source)
      if (this.#open.bytes > MAX_BLOCK_BYTES) this.#seal(bytes.length)
    }
  }

  #feed(bytes: Uint8Array, source: Source): void {
    this.#open.bytes += bytes.length
    this.#reader.feed(this.#decoder.decode(bytes, { stream: true }), source)
    this.#push(this.#reader.take())
  }

  #push(rows: readonly Row[]): void {
    for (const row of rows) {
      this.groups.look(row, this.#open.firstRow + this.#open.rows.length)
      this.#open.rows.push(row)
    }
  }

  /** `skip` bytes of the current event belong to the block that ends here. */
  #seal(skip: number): void {
    this.#push(this.#reader.end())
    const { rows, ...open } = this.#open
    const block = { ...open, rows: rows.length }
    this.blocks.push(block)
    this.cache.keep(block, rows)
    const { style } = this.#reader
    this.#open = {
      from: this.#place,
      skip,
      style,
      firstRow: block.firstRow + rows.length,
      bytes: 0,
      rows: [],
    }
  }
}

/** Returns the rows of a block from events that were read again. */
export function rowsOf(block: Block, events: readonly OutputEvent[]): Row[] {
  const reader = new RowReader(block.style)
  const decoder = new TextDecoder()
  let [skip, left] = [block.skip, block.bytes]
  for (const event of events) {
    const source = sourceOf(event)
    if (source === undefined) continue
    const bytes = bytesOf(event.payload).subarray(skip, skip + left)
    skip = 0
    left -= bytes.length
    reader.feed(decoder.decode(bytes, { stream: true }), source)
  }
  return reader.end()
}
