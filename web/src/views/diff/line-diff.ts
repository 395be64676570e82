import { diffArrays, diffWordsWithSpace } from 'diff'

/** A piece of a changed line. */
export interface Piece {
  readonly text: string
  readonly isChanged: boolean
}

export interface DiffLine {
  readonly kind: 'same' | 'added' | 'removed'
  /** Number of the line in its own text, from 1: for a removed line in the text before. */
  readonly number: number
  readonly text: string
  /** Set if the line replaces a similar line, or is replaced by one. */
  readonly pieces?: readonly Piece[]
}

export interface LineDiff {
  readonly lines: readonly DiffLine[]
  readonly added: number
  readonly removed: number
  /**
   * False if the texts have too little in common. Then all lines between the first and the last difference
   * count as removed and added, and none of them is left out.
   */
  readonly isCompared: boolean
}

/**
 * Maximum number of changed lines, and of milliseconds, of a comparison. Its time grows with the square of the
 * changed lines, and the page cannot be used meanwhile.
 */
const MAX_CHANGES = 5000
const MAX_MS = 1500
/** Maximum number of changed words and of characters of two lines that are compared word by word. */
const MAX_WORDS = 100
const MAX_LINE_CHARACTERS = 1000
/** Maximum number of line pairs that are compared word by word. */
const MAX_PAIRS = 500

/** Compares two lists of lines, or of arguments. */
export function lineDiff(before: readonly string[], now: readonly string[]): LineDiff {
  const most = Math.min(before.length, now.length)
  let start = 0
  while (start < most && before[start] === now[start]) start++
  let end = 0
  while (end < most - start && before.at(-1 - end) === now.at(-1 - end)) end++
  const [was, is] = [before.slice(start, before.length - end), now.slice(start, now.length - end)]
  const options = { maxEditLength: MAX_CHANGES, timeout: MAX_MS }
  const found = diffArrays([...was], [...is], options)
  const lines = new Lines()
  lines.add('same', now.slice(0, start))
  if (found === undefined) lines.replace(was, is)
  else
    for (let at = 0; at < found.length; at++) {
      const [change, next] = [found[at], found[at + 1]]
      if (change === undefined) continue
      const isReplaced = change.removed && next?.added === true
      if (isReplaced) {
        lines.replace(change.value, next.value)
        at++
      } else lines.add(change.added ? 'added' : change.removed ? 'removed' : 'same', change.value)
    }
  lines.add('same', now.slice(now.length - end))
  return { ...lines.counts(), isCompared: found !== undefined }
}

/** Numbers the lines while they are added. */
class Lines {
  readonly #all: DiffLine[] = []
  #before = 0
  #now = 0
  #pairs = 0

  add(kind: DiffLine['kind'], texts: readonly string[], pieces: readonly (readonly Piece[])[] = []): void {
    texts.forEach((text, at) => {
      if (kind !== 'added') this.#before++
      if (kind !== 'removed') this.#now++
      const number = kind === 'removed' ? this.#before : this.#now
      const marked = pieces[at]
      this.#all.push({ kind, number, text, ...(marked !== undefined && { pieces: marked }) })
    })
  }

  /** As many lines before as now are taken for pairs, whose changed words are marked. */
  replace(before: readonly string[], now: readonly string[]): void {
    const isPaired = before.length === now.length && this.#pairs + now.length <= MAX_PAIRS
    const pairs = isPaired ? before.map((text, at) => changedWords(text, now[at] ?? '')) : []
    this.#pairs += pairs.length
    this.add(
      'removed',
      before,
      pairs.map(([was]) => was),
    )
    this.add(
      'added',
      now,
      pairs.map(([, is]) => is),
    )
  }

  counts(): Pick<LineDiff, 'lines' | 'added' | 'removed'> {
    const count = (kind: DiffLine['kind']) => this.#all.filter((line) => line.kind === kind).length
    return { lines: this.#all, added: count('added'), removed: count('removed') }
  }
}

/** Marks the words that differ. Lines without a common word are marked as a whole. */
export function changedWords(before: string, now: string): readonly [Piece[], Piece[]] {
  const isShort = Math.max(before.length, now.length) <= MAX_LINE_CHARACTERS
  const words = isShort ? diffWordsWithSpace(before, now, { maxEditLength: MAX_WORDS }) : undefined
  if (words === undefined) return [[{ text: before, isChanged: true }], [{ text: now, isChanged: true }]]
  const side = (other: 'added' | 'removed') =>
    words
      .filter((word) => !word[other])
      .map(({ value, added, removed }) => ({ text: value, isChanged: added || removed }))
  return [side('added'), side('removed')]
}

/** A line of the difference, or a place where lines are not drawn. */
export type ShownLine =
  | DiffLine
  | { readonly kind: 'folded'; readonly lines: readonly DiffLine[] }
  | { readonly kind: 'missing'; readonly added: number; readonly removed: number }

/** Number of lines around a difference that are drawn although they are the same. */
const CONTEXT = 3

/**
 * Chooses the lines to draw. Lines far from a difference are folded. If more than `most` lines differ, the
 * removed ones are left out first, and each place where lines are missing is told.
 */
export function shownLines({ lines, added }: LineDiff, most: number): readonly ShownLine[] {
  let [additions, removals] = [Math.min(added, most), Math.max(0, most - added)]
  const isDrawn = lines.map(({ kind }) =>
    kind === 'added' ? additions-- > 0 : kind === 'removed' && removals-- > 0,
  )
  const isNear = nearTo(isDrawn)
  const shown: ShownLine[] = []
  let folded: DiffLine[] | undefined
  let missing: { kind: 'missing'; added: number; removed: number } | undefined
  lines.forEach((line, at) => {
    if (isDrawn[at] === true || (line.kind === 'same' && isNear[at] === true)) {
      shown.push(line)
      folded = missing = undefined
    } else if (line.kind !== 'same') {
      if (missing === undefined) shown.push((missing = { kind: 'missing', added: 0, removed: 0 }))
      missing[line.kind]++
    } else if (folded !== undefined) folded.push(line)
    // Lines that are alike between missing ones are missing with them: there may be very many such places.
    else if (missing === undefined) shown.push({ kind: 'folded', lines: (folded = [line]) })
  })
  return shown
}

function nearTo(isDrawn: readonly boolean[]): readonly boolean[] {
  const near = isDrawn.map(() => false)
  isDrawn.forEach((is, at) => {
    if (is) near.fill(true, Math.max(0, at - CONTEXT), at + CONTEXT + 1)
  })
  return near
}

/** The whole difference as a text, for a download. */
export function diffText({ lines }: LineDiff): string {
  const signs = { same: ' ', added: '+', removed: '-' }
  return lines.map(({ kind, text }) => `${signs[kind]}${text}\n`).join('')
}
