import { ordered, type Work } from '../work.ts'
import type { Subject } from './find/subject.ts'

export interface Span {
  readonly start: number
  readonly end: number
}

const BEGIN_KEY = '-----BEGIN '
const END_KEY = '-----END '
/** The longest private key that is looked for, with its first and last line. */
const LONGEST_KEY = 16_384 + 200

/** Behind the last line that has ended, or `from` when none has. */
export function lineEnd({ bytes }: Subject, from: number): number {
  for (let end = bytes.length; end > from; end--) {
    const byte = bytes[end - 1]
    if (byte === 0x0a || byte === 0x0d) return end
  }
  return from
}

/** `cut`, or the beginning of the line in which a private key begins that has not ended yet. */
export function beforeOpenKey({ text }: Subject, from: number, cut: number): number {
  const open = text.lastIndexOf(BEGIN_KEY, cut)
  if (open < from || text.length - open > LONGEST_KEY) return cut
  const end = text.indexOf(END_KEY, open)
  if (end !== -1 && end < cut) return cut
  return Math.max(from, text.lastIndexOf('\n', open) + 1)
}

/** The last place up to `cut` where no match and, if possible, no word lies across. */
export function* clearOf(
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

/** Finds the beginning of what lies across a place. Asked for in descending order, it goes through the matches once. */
class Across {
  /** The foremost first, each with how far it and those before it reach. */
  readonly #spans: readonly (Span & { readonly reach: number })[]
  #next: number

  /** @param matches the foremost first */
  constructor(matches: readonly Span[]) {
    let reach = 0
    this.#spans = matches.map(({ start, end }) => ({ start, end, reach: (reach = Math.max(reach, end)) }))
    this.#next = this.#spans.length - 1
  }

  /** `place`, or the beginning of the matches that lie across it. */
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

/** The last place up to `place` after an ASCII character that is in no word; `place` itself when there is none. */
function betweenWords(bytes: Buffer, from: number, place: number): number {
  for (let at = place; at > from; at--) if (isApart(bytes[at - 1] ?? 0)) return at
  return place
}

function isApart(byte: number): boolean {
  return byte < 0x80 && !/[A-Za-z0-9]/.test(String.fromCharCode(byte))
}
