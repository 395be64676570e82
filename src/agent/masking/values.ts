import { setImmediate as otherWork } from 'node:timers/promises'
import type { Masking } from '../../policy/masking/masking.ts'
import { replaced } from '../../policy/masking/replacement.ts'
import { Words } from '../../policy/masking/words.ts'
import { OutputStopped } from '../../policy/output-filter.ts'
import { LocalStream, type GivenUp } from './local-stream.ts'
import { type MaskingResult } from './masking-result.ts'
import {
  countsOf,
  PASSES,
  PIECE_BYTES,
  piecesIn,
  PresidioStream,
  type PresidioSession,
} from './presidio-stream.ts'
import { analyze, analyzedText, PresidioError } from './presidio.ts'

export interface Value {
  /**
   * The name of the value's column. It helps to find sensitive values, like a heading in the output of a
   * program.
   */
  readonly label: string
  readonly bytes: Buffer
}

/** The values of one row, in order, without NULL values. */
export type Row = readonly Value[]

/** Masks each value by itself: a replacement never reaches into another value. */
export interface ValueMasking {
  /** Size of a batch of values in bytes. A smaller batch is masked only if no more rows are waiting. */
  readonly batchBytes: number
  /**
   * Returns the masked values. If nothing in a value was masked, returns the same buffer. @throws
   * OutputStopped
   */
  mask(rows: readonly Row[]): Promise<Buffer[][]>
}

/** Number of bytes before a value that are searched for words. They belong to earlier values of the row. */
const BEFORE_BYTES = 256
/** Time in milliseconds after which other tasks may run. */
const TURN_MS = 10

export class LocalValues implements ValueMasking {
  readonly batchBytes = 0
  readonly #masking: Masking
  readonly #result: MaskingResult
  readonly #givenUp: GivenUp

  constructor(masking: Masking, result: MaskingResult, givenUp: GivenUp) {
    this.#masking = masking
    this.#result = result
    this.#givenUp = givenUp
  }

  async mask(rows: readonly Row[]): Promise<Buffer[][]> {
    const masked: Buffer[][] = []
    let turn = performance.now()
    for (const row of rows) {
      const values: Buffer[] = []
      for (const at of row.keys()) {
        const value = this.#masked(row, at)
        values.push(value instanceof Promise ? await value : value)
      }
      masked.push(values)
      if (performance.now() - turn < TURN_MS) continue
      await otherWork()
      turn = performance.now()
    }
    return masked
  }

  #masked(row: Row, at: number): Buffer | Promise<Buffer> {
    const bytes = row[at]?.bytes ?? Buffer.alloc(0)
    if (bytes.length === 0) return bytes
    const words = new Words(() => wordsBefore(row, at))
    const stream = new LocalStream(this.#masking, this.#result, this.#givenUp, undefined, words)
    const first = stream.push(bytes)
    if (first instanceof Promise) return first.then(async (shown) => joined(bytes, shown, await stream.end()))
    const last = stream.end()
    return last instanceof Promise
      ? last.then((rest) => joined(bytes, first, rest))
      : joined(bytes, first, last)
  }
}

/** Returns the value itself if nothing in it was masked. */
function joined(value: Buffer, first: Buffer, last: Buffer): Buffer {
  const all = first.length === 0 ? last : Buffer.concat([first, last])
  return all.equals(value) ? value : all
}

/**
 * Returns words that can raise a finding's score: words of the values before this value in its row, and words
 * of its column's name.
 */
function wordsBefore(row: Row, at: number): string[] {
  const before: Buffer[] = []
  for (let [place, bytes] = [at - 1, 0]; place >= 0 && bytes < BEFORE_BYTES; place -= 1) {
    const value = row[place]?.bytes.subarray(-BEFORE_BYTES) ?? Buffer.alloc(0)
    before.unshift(value, Buffer.from(' '))
    bytes += value.length
  }
  return [...lastWords(Buffer.concat(before)), ...lastWords(Buffer.from(`${row[at]?.label ?? ''} `))]
}

function lastWords(bytes: Buffer): readonly string[] {
  const words = new Words()
  words.next(bytes.toString('latin1'), 0)
  return words.before(bytes.length)
}

const LOST = 'the connection ended before Presidio answered'
const LINE_END = Buffer.from('\n')

interface Placed {
  readonly value: Buffer
  readonly start: number
  readonly take: (masked: Buffer) => void
}

/** Asks Presidio's analyzer for many values per call. The agent itself replaces the findings. */
export class PresidioValues implements ValueMasking {
  readonly batchBytes = 100 * 1024
  readonly #session: PresidioSession

  constructor(session: PresidioSession) {
    this.#session = session
  }

  async mask(rows: readonly Row[]): Promise<Buffer[][]> {
    const masked = rows.map((row) => row.map(({ bytes }) => bytes))
    const batch = new Batch()
    for (const [at, row] of rows.entries()) {
      for (const [place, { label, bytes }] of row.entries()) {
        if (bytes.length === 0) continue
        const take = (value: Buffer) => void masked[at]?.splice(place, 1, value)
        if (bytes.length + label.length >= PIECE_BYTES) take(await this.#large(bytes))
        else {
          if (!batch.hasRoom(label, bytes)) await this.#ask(batch)
          batch.add(label, bytes, take)
        }
      }
    }
    await this.#ask(batch)
    return masked
  }

  /** Masks a value that is too large for one call. */
  async #large(value: Buffer): Promise<Buffer> {
    const stream = new PresidioStream(this.#session)
    const first = await stream.push(value)
    const shown = Buffer.concat([first, await stream.end()])
    // When the session ends, the stream drops bytes. The rest would be only a part of the value.
    if (this.#session.ended.aborted) throw new OutputStopped('masking', LOST)
    return shown.equals(value) ? value : shown
  }

  async #ask(batch: Batch): Promise<void> {
    const { breaker, ended, result, services, request } = this.#session
    const { text, placed } = batch.take()
    if (placed.length === 0) return
    if (breaker.isOpen) {
      result.passes(PASSES)
      return
    }
    try {
      ended.throwIfAborted()
      const analyzed = analyzedText(text)
      const findings = await breaker.watch(() => analyze(services.analyzer, analyzed, request, ended))
      this.#replace(placed, piecesIn(analyzed, findings))
    } catch (error) {
      if (ended.aborted) throw new OutputStopped('masking', LOST)
      if (!(error instanceof PresidioError)) throw error
      result.failed(error.message)
    }
  }

  /**
   * A finding may span several values. In each of these values, the part that belongs to the finding is
   * replaced.
   */
  #replace(placed: readonly Placed[], pieces: ReturnType<typeof piecesIn>): void {
    for (const { value, start, take } of placed) {
      const own = pieces
        .filter((piece) => piece.start < start + value.length && piece.end > start)
        .map(({ type, ...piece }) => ({
          type,
          start: Math.max(0, piece.start - start),
          end: Math.min(value.length, piece.end - start),
        }))
      if (own.length === 0) continue
      take(replaced(value, own, { form: 'tag' }))
      this.#session.result.masked(
        countsOf(own),
        own.reduce((sum, piece) => sum + piece.end - piece.start, 0),
      )
    }
  }
}

/** The values of one call. Each value has a line of its own, after the label of the value. */
class Batch {
  #parts: Buffer[] = []
  #bytes = 0
  #placed: Placed[] = []

  hasRoom(label: string, value: Buffer): boolean {
    return this.#bytes + 3 * label.length + value.length + 3 <= PIECE_BYTES
  }

  add(label: string, value: Buffer, take: Placed['take']): void {
    const before = Buffer.from(label === '' ? '' : `${label}: `)
    this.#placed.push({ value, start: this.#bytes + before.length, take })
    this.#parts.push(before, value, LINE_END)
    this.#bytes += before.length + value.length + LINE_END.length
  }

  take(): { readonly text: Buffer; readonly placed: readonly Placed[] } {
    const taken = { text: Buffer.concat(this.#parts), placed: this.#placed }
    this.#parts = []
    this.#bytes = 0
    this.#placed = []
    return taken
  }
}
