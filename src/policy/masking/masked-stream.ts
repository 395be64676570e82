import { joined } from '../../basics/joined.ts'
import type { OutputFilter } from '../output-filter.ts'
import { inTurns, limited, ordered, type Work, TOO_LONG } from '../work.ts'
import type { FoundData } from './findings.ts'
import type { Masking } from './masking.ts'
import type { LinePlaces } from './line-cuts.ts'
import { type Piece, piecesAmong, replaced } from './replacement.ts'
import { type Subject, subjectOf } from './subject.ts'
import { Words } from './words.ts'

export interface Span {
  readonly start: number
  readonly end: number
}

const BEGIN_KEY = '-----BEGIN '
const END_KEY = '-----END '
/** Maximum length of a private key in bytes, with its first and last line. */
const MAX_KEY_BYTES = 16_384 + 200

/** Returns the place after the last complete line, or `from`. */
function lineEnd({ bytes }: Subject, from: number): number {
  for (let end = bytes.length; end > from; end--) {
    const byte = bytes[end - 1]
    if (byte === 0x0a || byte === 0x0d) return end
  }
  return from
}

/**
 * Returns the beginning of the line where an incomplete private key begins. Returns `cut` if there is no such
 * key.
 */
function beforeOpenKey({ text }: Subject, from: number, cut: number): number {
  const open = text.lastIndexOf(BEGIN_KEY, cut)
  if (open < from || text.length - open > MAX_KEY_BYTES) return cut
  const end = text.indexOf(END_KEY, open)
  if (end !== -1 && end < cut) return cut
  return Math.max(from, text.lastIndexOf('\n', open) + 1)
}

/** Returns the last place up to `cut` that is inside no match and, if possible, inside no word. */
export function* findClearPlace(
  matches: readonly Span[],
  { bytes }: Subject,
  from: number,
  cut: number,
): Work<number> {
  const across = new Across(yield* ordered(matches, (left, right) => left.start - right.start))
  let place = cut
  for (;;) {
    const apart = betweenWords(bytes, from, place)
    const clear = across.before(apart)
    if (clear === apart || clear <= from) return clear
    place = clear
  }
}

/**
 * Finds where the matches that span a place begin. If each place is before the previous place, the matches
 * are read only once.
 */
class Across {
  /** Matches in the order of the text. `reach` is the largest end of all matches up to this one. */
  readonly #spans: readonly (Span & { readonly reach: number })[]
  #next: number

  /** `matches` must be in the order of the text. */
  constructor(matches: readonly Span[]) {
    let reach = 0
    this.#spans = matches.map(({ start, end }) => ({ start, end, reach: (reach = Math.max(reach, end)) }))
    this.#next = this.#spans.length - 1
  }

  /** Returns `place`, or where the matches that span it begin. */
  before(place: number): number {
    let at = place
    for (let span = this.#spans[this.#next]; span !== undefined; span = this.#spans[--this.#next]) {
      if (span.start >= at) continue
      if (span.reach <= at) break
      if (span.end > at) at = span.start
    }
    return at
  }
}

/**
 * Returns the last place up to `place` that follows an ASCII character outside a word. Returns `place` if
 * there is no such place.
 */
function betweenWords(bytes: Buffer, from: number, place: number): number {
  for (let at = place; at > from; at--) if (isApart(bytes[at - 1] ?? 0)) return at
  return place
}

function isApart(byte: number): boolean {
  return byte < 0x80 && !/[A-Za-z0-9]/.test(String.fromCharCode(byte))
}

interface MaskedCounts {
  readonly types: ReadonlyMap<string, number>
  readonly bytes: number
}

const NOTHING = Buffer.alloc(0)

interface Around {
  readonly from: number
  /** Bytes before this place are already sent on. */
  readonly begin: number
  readonly isEnd: boolean
}

/** Number of sent bytes that are kept, because labels are searched for in the 24 bytes before a match. */
const BEHIND = 64
/**
 * Share of a window that is searched again together with the bytes after the window, because a match at the
 * end of the window may be incomplete.
 */
const AGAIN = 0.3
/**
 * Maximum time for a window. A window usually takes some hundredths of a second. Only a slow regex takes
 * longer.
 */
const MAX_MS = 5_000

/** `masked` is the output before the window that took too long. The filter still holds the rest. */
export class MaskingTooLong extends Error {
  override readonly name = 'MaskingTooLong'
  readonly masked: Buffer

  constructor(masked: Buffer, longestMs: number) {
    super(`masking a part of the output took the local engine more than ${longestMs / 1000} s`)
    this.masked = masked
  }
}

interface Judged {
  readonly cut: number
  readonly pieces: readonly Piece[]
}

/**
 * Masks one stream as if it were one text. The size of the chunks does not change the result. Holds back an
 * incomplete line. A custom type may match over several lines. Then the stream also holds back the bytes that
 * may belong to such a match, up to one window. Splits a line that is longer than `masking.window`, but not
 * inside a match.
 * Only in such a long line, the result may differ from the result for a whole text. There, a match that is
 * longer than 0.3 windows is masked in parts. The mask then ends at the next blank or, for a custom type, at
 * the end of the line.
 */
export class MaskedStream implements OutputFilter {
  readonly isReleasable = false
  readonly #masking: Masking
  readonly #longestMs: number
  readonly #places: LinePlaces | undefined
  readonly #words: Words
  #offset = 0
  #behind: Buffer = NOTHING
  #waiting: Buffer[] = []
  #held = 0
  /** The type of a cut match that continues in the next part. */
  #torn: string | undefined
  #types = new Map<string, number>()
  #bytes = 0

  /**
   * `push` and `end` throw MaskingTooLong if masking one window takes longer than `longestMs`. `words`
   * contains the words of the text that comes before this stream.
   */
  constructor(masking: Masking, longestMs = MAX_MS, words = new Words()) {
    this.#masking = masking
    this.#longestMs = longestMs
    this.#words = words
    this.#places = masking.linePlaces()
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

  /** Returns nothing, because the held bytes may be the beginning of data to mask. */
  release(): Buffer {
    return NOTHING
  }

  end(): Buffer | Promise<Buffer> {
    return this.#give(NOTHING, true)
  }

  /**
   * Returns the held bytes without searching or masking them. For callers that let output pass after
   * MaskingTooLong.
   */
  pass(): Buffer {
    const held = Buffer.concat(this.#waiting)
    this.#torn = undefined
    this.#keep(Buffer.concat([this.#behind, held]), this.#behind.length + held.length, held.length)
    return held
  }

  takeCounts(): MaskedCounts {
    const counts = { types: this.#types, bytes: this.#bytes }
    this.#types = new Map()
    this.#bytes = 0
    return counts
  }

  #give(data: Buffer, isEnd: boolean): Buffer | Promise<Buffer> {
    try {
      return inTurns(this.#work(Buffer.concat([this.#behind, ...this.#waiting, data]), isEnd))
    } catch (error) {
      if (!(error instanceof MaskingTooLong)) throw error
      return Promise.reject(error)
    }
  }

  /** Masks and returns the bytes that can be judged now. Keeps the other bytes. */
  *#work(bytes: Buffer, isEnd: boolean): Work<Buffer> {
    const given: Buffer[] = []
    const begin = this.#behind.length
    let from = begin
    try {
      for (;;) {
        const judged = yield* limited(this.#judge(bytes, { from, begin, isEnd }), this.#longestMs)
        if (judged === TOO_LONG) throw new MaskingTooLong(Buffer.concat(given), this.#longestMs)
        if (judged === undefined) break
        yield
        given.push(replaced(bytes, judged.pieces, this.#masking.replacement, { from, to: judged.cut }))
        this.#count(judged)
        from = judged.cut
      }
    } finally {
      this.#keep(bytes, from, from - begin)
    }
    return joined(given)
  }

  #keep(bytes: Buffer, from: number, given: number): void {
    this.#offset += given
    this.#places?.forget(this.#offset)
    this.#behind = Buffer.from(bytes.subarray(Math.max(0, from - BEHIND), from))
    this.#waiting = from < bytes.length ? [Buffer.from(bytes.subarray(from))] : []
    this.#held = bytes.length - from
  }

  /** Returns undefined when nothing from `from` on can be sent yet. */
  *#judge(bytes: Buffer, { from, begin, isEnd }: Around): Work<Judged | undefined> {
    const limit = Math.min(bytes.length, from + this.#masking.window)
    const base = Math.max(0, from - BEHIND)
    const whole = bytes.subarray(base, limit)
    const subject = subjectOf(whole)
    const isLast = limit === bytes.length
    // Offset in the stream where `bytes` begins.
    const origin = this.#offset - begin
    yield* this.#places?.read(bytes.subarray(begin, limit), this.#offset) ?? []
    const cut =
      isLast && isEnd
        ? subject.bytes.length
        : this.#lineCut(subject, from - base, (until) => placeBefore(this.#places, until, origin + base))
    if (from === limit || (cut === from - base && isLast)) return undefined
    const lines = { bytes: subject.bytes.subarray(0, cut), text: subject.text.slice(0, cut), whole }
    const judged = yield* cut > from - base
      ? this.#judgeLines(lines, from - base)
      : this.#judgePart(subject, from - base)
    return moved(judged, base)
  }

  /**
   * Returns where the stream can be cut after a whole line. `place` returns the last place up to its argument
   * where no custom match is cut.
   */
  #lineCut(subject: Subject, from: number, place: (until: number) => number): number {
    let cut = lineEnd(subject, from)
    for (;;) {
      const placed = Math.max(from, place(cut))
      const hasKey = placed > from && this.#masking.finds('PRIVATE_KEY')
      const next = hasKey ? beforeOpenKey(subject, from, placed) : placed
      if (next === cut || next <= from) return next
      cut = next
    }
  }

  /** Judges whole lines, because no match of a built-in type continues after them. */
  *#judgeLines(subject: Subject, from: number): Work<Judged> {
    const cut = subject.bytes.length
    this.#words.next(subject.text, from)
    const found = yield* this.#masking.search(subject, { from, words: this.#words })
    this.#words.before(cut)
    return yield* this.#upTo(cut, [...this.#restOfTorn(subject, from), ...found])
  }

  /** Judges a part of a line that is longer than a window. */
  *#judgePart(subject: Subject, from: number): Work<Judged> {
    const matches: Span[] = []
    const matched = (start: number, end: number) => void matches.push({ start, end })
    this.#words.next(subject.text, from)
    const found = yield* this.#masking.search(subject, { from, words: this.#words.copy(), matched })
    const again = Math.floor((subject.bytes.length - from) * AGAIN)
    const last = subject.bytes.length - again
    const clear = yield* findClearPlace(matches, subject, from, last)
    const cut = clear < from + again ? last : clear
    this.#words.before(cut)
    return yield* this.#upTo(cut, [...this.#restOfTorn(subject, from), ...found])
  }

  /**
   * Masks the rest of a cut match up to the next blank. The rest of a match of a custom type is masked up to
   * the end of the line, because it may contain blanks.
   */
  #restOfTorn({ text }: Subject, from: number): FoundData[] {
    if (this.#torn === undefined) return []
    const end = this.#masking.custom.has(this.#torn) ? /[\n\r]/g : /[\t\n\f\r ]/g
    end.lastIndex = from
    const found = end.exec(text)?.index ?? text.length
    return found === from ? [] : [{ type: this.#torn, start: from, end: found, score: 2, recognizer: '' }]
  }

  *#upTo(cut: number, found: readonly FoundData[]): Work<Judged> {
    const pieces = (yield* piecesAmong(found)).filter(({ start }) => start < cut)
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

/**
 * Returns the last place up to `until` where the stream can be cut. `until` and the result count from `base`.
 */
function placeBefore(places: LinePlaces | undefined, until: number, base: number): number {
  return places === undefined ? until : (places.last(until + base) ?? base) - base
}
