import type { PresidioFinding } from './analyzer.ts'
import { OVERLAP_BYTES } from './pieces.ts'
import type { AnalyzedText } from './text.ts'

/** A piece of a line that goes on, up to where it may be given on. */
interface CutPiece {
  /** A code point. */
  readonly cut: number
  readonly findings: readonly PresidioFinding[]
  /** The type of a finding that lies across the cut. */
  readonly torn: string | undefined
}

/**
 * Cuts where no finding lies across, if that is not in the first half of the piece: a call that is worth little more
 * than nothing would never come to an end of a long line.
 */
export function cutFindings(text: AnalyzedText, findings: readonly PresidioFinding[]): CutPiece {
  const cut = cutOf(text, findings)
  const before = findings.filter(({ start }) => start < cut)
  return {
    cut,
    findings: before.map((finding) => ({ ...finding, end: Math.min(finding.end, cut) })),
    torn: before.find(({ end }) => end > cut)?.entity_type,
  }
}

/** What goes on of a finding that was cut is one, too, up to the next blank: for itself it looks like nothing. */
export function restOfTorn({ sent, offsets }: AnalyzedText, torn: string | undefined): PresidioFinding[] {
  if (torn === undefined) return []
  const blank = sent.findIndex((byte) => BLANKS.has(byte))
  const end = blank === -1 ? offsets.length - 1 : offsets.indexOf(blank)
  return end === 0 ? [] : [{ entity_type: torn, start: 0, end, score: 1 }]
}

const BLANKS: ReadonlySet<number> = new Set(Buffer.from('\t\n\f\r '))

function cutOf({ bytes, offsets }: AnalyzedText, findings: readonly PresidioFinding[]): number {
  const last = offsets.findLastIndex((offset) => offset <= bytes.length - OVERLAP_BYTES)
  let cut = last
  for (const { start, end } of findings.toSorted((a, b) => b.end - a.end))
    if (start < cut && cut < end) cut = start
  return cut < offsets.length / 2 ? last : cut
}
