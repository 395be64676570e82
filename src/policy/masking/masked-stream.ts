import { setImmediate as otherWork } from 'node:timers/promises'
import type { OutputFilter } from '../output-filter.ts'
import { beforeOpenKey, clearOf, lineEnd, type Span } from './cut.ts'
import type { FoundData, Work } from './find/findings.ts'
import { subjectOf, type Subject } from './find/subject.ts'
import { Words } from './find/words.ts'
import type { Masking } from './masking.ts'
import { piecesOf, replaced, type Piece } from './replacement.ts'

/** What was masked. */
export interface MaskedCounts {
  /** Replacements of each type. */
  readonly types: ReadonlyMap<string, number>
  /** Bytes that were replaced. */
  readonly bytes: number
}

const NOTHING = Buffer.alloc(0)
/** So much of what was given on is kept: labels are looked for in the 24 bytes before a match. */
const BEHIND = 64
/** This part of a window is looked at again with what follows it: a match that begins there may not have ended. */
const AGAIN = 0.3
/** Masking goes on for so long before other work has its turn. */
const TURN_MS = 10

/** What is known of a part of the output: up to where it may be given on, and what is replaced there. */
interface Judged {
  readonly cut: number
  readonly pieces: readonly Piece[]
}

/**
 * Masks one stream of output as if it were one text, whatever its chunks. It goes by lines (an unfinished one is held),
 * and where a line is longer than `masking.window`, by parts of it, between which no match is cut.
 *
 * Not as in one text are: a match of a custom type over several lines, since it is not seen whole; and one longer than
 * 0.3 windows in a line longer than a window, which is masked in parts, up to the next blank or, of a custom type, to
 * the end of the line.
 */
export class MaskedStream implements OutputFilter {
  readonly isReleasable = false
  readonly #masking: Masking
  readonly #words = new Words()
  #behind: Buffer = NOTHING
  #waiting: Buffer[] = []
  #held = 0
  /** The type of a match that was cut, and goes on. */
  #torn: string | undefined
  #types = new Map<string, number>()
  #bytes = 0

  constructor(masking: Masking) {
    this.#masking = masking
  }

  get held(): number {
    return this.#held
  }

  push(data: Buffer): Buffer | Promise<Buffer> {
    this.#held += data.length
    if (data.includes(0x0a) || data.includes(0x0d) || this.#held > this.#masking.window) {
      return this.#give(data, false)
    }
    this.#waiting.push(Buffer.from(data))
    return NOTHING
  }

  /** Nothing: what is held may be the beginning of something that is to be masked. */
  release(): Buffer {
    return NOTHING
  }

  end(): Buffer | Promise<Buffer> {
    return this.#give(NOTHING, true)
  }

  /** What was masked since the last time. */
  takeCounts(): MaskedCounts {
    const counts = { types: this.#types, bytes: this.#bytes }
    this.#types = new Map()
    this.#bytes = 0
    return counts
  }

  #give(data: Buffer, isEnd: boolean): Buffer | Promise<Buffer> {
    const work = this.#work(Buffer.concat([this.#behind, ...this.#waiting, data]), isEnd)
    return turn(work) ?? inTurns(work)
  }

  /** Gives on what can be judged, and keeps the rest. */
  *#work(bytes: Buffer, isEnd: boolean): Work<Buffer> {
    const given: Buffer[] = []
    let from = this.#behind.length
    for (;;) {
      const judged = yield* this.#judge(bytes, from, isEnd)
      if (judged === undefined) break
      given.push(replaced(bytes, judged.pieces, this.#masking.replacement, { from, to: judged.cut }))
      this.#count(judged)
      from = judged.cut
    }
    this.#behind = Buffer.from(bytes.subarray(Math.max(0, from - BEHIND), from))
    this.#waiting = from < bytes.length ? [Buffer.from(bytes.subarray(from))] : []
    this.#held = bytes.length - from
    return given.length === 1 ? (given[0] ?? NOTHING) : Buffer.concat(given)
  }

  /** @returns undefined when nothing from `from` on can be given on yet */
  *#judge(bytes: Buffer, from: number, isEnd: boolean): Work<Judged | undefined> {
    const limit = Math.min(bytes.length, from + this.#masking.window)
    const base = Math.max(0, from - BEHIND)
    const subject = subjectOf(bytes.subarray(base, limit))
    const isLast = limit === bytes.length
    const cut = isLast && isEnd ? subject.bytes.length : this.#lineCut(subject, from - base)
    if (from === limit || (cut === from - base && isLast)) return undefined
    const judged = yield* cut > from - base
      ? this.#judgeLines(
          { bytes: subject.bytes.subarray(0, cut), text: subject.text.slice(0, cut) },
          from - base,
        )
      : this.#judgePart(subject, from - base)
    return moved(judged, base)
  }

  #lineCut(subject: Subject, from: number): number {
    const cut = lineEnd(subject, from)
    return cut > from && this.#masking.finds('PRIVATE_KEY') ? beforeOpenKey(subject, from, cut) : cut
  }

  /** Whole lines: no match of a built-in type goes on behind them. */
  *#judgeLines(subject: Subject, from: number): Work<Judged> {
    const cut = subject.bytes.length
    this.#words.next(subject.text, from)
    const found = yield* this.#masking.search(subject, { from, words: this.#words })
    this.#words.before(cut)
    return this.#upTo(cut, [...this.#restOfTorn(subject, from), ...found])
  }

  /** A part of a line that is longer than a window. */
  *#judgePart(subject: Subject, from: number): Work<Judged> {
    const matches: Span[] = []
    const matched = (start: number, end: number) => void matches.push({ start, end })
    this.#words.next(subject.text, from)
    const found = yield* this.#masking.search(subject, { from, words: this.#words.copy(), matched })
    const again = Math.floor((subject.bytes.length - from) * AGAIN)
    const last = subject.bytes.length - again
    const clear = clearOf(matches, subject, from, last)
    const cut = clear < from + again ? last : clear
    this.#words.before(cut)
    return this.#upTo(cut, [...this.#restOfTorn(subject, from), ...found])
  }

  /** A match that was cut is masked up to a blank; one of a custom type, which may have blanks, to the end of the line. */
  #restOfTorn({ text }: Subject, from: number): FoundData[] {
    if (this.#torn === undefined) return []
    const end = this.#masking.custom.has(this.#torn) ? /[\n\r]/g : /[\t\n\f\r ]/g
    end.lastIndex = from
    const found = end.exec(text)?.index ?? text.length
    return found === from ? [] : [{ type: this.#torn, start: from, end: found, score: 2, recognizer: '' }]
  }

  #upTo(cut: number, found: readonly FoundData[]): Judged {
    const pieces = piecesOf(found).filter(({ start }) => start < cut)
    const last = pieces.at(-1)
    this.#torn = last !== undefined && last.end > cut ? last.type : undefined
    return { cut, pieces: pieces.map((piece) => ({ ...piece, end: Math.min(piece.end, cut) })) }
  }

  #count({ pieces }: Judged): void {
    for (const { type, start, end } of pieces) {
      this.#types.set(type, (this.#types.get(type) ?? 0) + 1)
      this.#bytes += end - start
    }
  }
}

function moved({ cut, pieces }: Judged, by: number): Judged {
  return {
    cut: cut + by,
    pieces: pieces.map(({ type, start, end }) => ({ type, start: start + by, end: end + by })),
  }
}

/** One turn of the work; undefined when it is not done yet. */
function turn(work: Work<Buffer>): Buffer | undefined {
  const end = performance.now() + TURN_MS
  do {
    const step = work.next()
    if (step.done === true) return step.value
  } while (performance.now() < end)
  return undefined
}

async function inTurns(work: Work<Buffer>): Promise<Buffer> {
  for (;;) {
    await otherWork()
    const result = turn(work)
    if (result !== undefined) return result
  }
}
