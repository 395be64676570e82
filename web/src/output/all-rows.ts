import { fetched } from '../api/request.ts'
import { RowReader } from './ansi/rows.ts'
import type { Row } from './ansi/row.ts'
import type { Block } from './block.ts'
import type { OutputRecord } from './record.ts'
import { turn } from './turn.ts'

export interface RowsAt {
  readonly firstRow: number
  readonly rows: readonly Row[]
}

/** Yields all rows, part by part. Reads dropped rows again in one request. @throws Refused */
export async function* allRows(
  id: string,
  record: OutputRecord,
  signal: AbortSignal,
): AsyncGenerator<RowsAt> {
  const blocks = [...record.blocks]
  if (blocks.length > 0) {
    const path = `/api/sessions/${encodeURIComponent(id)}/result/stream`
    const { body } = await fetched('GET', path, { signal })
    const bytes = new Pieces(body ?? new ReadableStream())
    try {
      for (const block of blocks) {
        yield { firstRow: block.firstRow, rows: await rowsIn(block, bytes) }
        await turn()
      }
    } finally {
      await bytes.cancel()
    }
  }
  yield record.openRows
}

async function rowsIn(block: Block, bytes: Pieces): Promise<Row[]> {
  const reader = new RowReader(block.style)
  const decoder = new TextDecoder()
  for (let left = block.bytes; left > 0;) {
    const piece = await bytes.next(left)
    if (piece === undefined) break
    left -= piece.length
    reader.feed(decoder.decode(piece, { stream: true }))
  }
  return reader.end()
}

class Pieces {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>
  #rest = new Uint8Array()

  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.#reader = stream.getReader()
  }

  /** Returns at most `most` bytes, or undefined at the end. */
  async next(most: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    if (this.#rest.length === 0) {
      const { done, value } = await this.#reader.read()
      if (done) return undefined
      this.#rest = value
    }
    const piece = this.#rest.subarray(0, most)
    this.#rest = this.#rest.subarray(piece.length)
    return piece
  }

  cancel(): Promise<void> {
    return this.#reader.cancel().catch(() => undefined)
  }
}
