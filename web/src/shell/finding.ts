import type { IconName } from '../parts/icon.tsx'

/** A result of the search over everything. */
export interface Finding {
  readonly group: 'Runbooks' | 'Connections' | 'Sessions' | 'Pages' | 'Actions'
  readonly icon: IconName
  readonly title: string
  /** Distinguishes this result from similar ones; searched, too. */
  readonly about: string
  /** Searched but not shown: paths, names of parameters. */
  readonly words?: string
  readonly open: () => void
}

export const GROUPS = ['Runbooks', 'Connections', 'Sessions', 'Pages', 'Actions'] as const

/** Maximum of results per group: more words find the rest. */
const MOST = 6

/** Returns the best results, group by group. All words have to match, each anywhere. */
export function best(findings: readonly Finding[], wanted: string): Finding[] {
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean)
  const ranked = findings
    .map((finding) => ({ finding, rank: rankOf(finding, words) }))
    .filter(({ rank }) => rank > 0)
    .sort((a, b) => b.rank - a.rank)
  return GROUPS.flatMap((group) =>
    ranked
      .filter(({ finding }) => finding.group === group)
      .slice(0, MOST)
      .map(({ finding }) => finding),
  )
}

/**
 * Returns 0 when a word is missing. A title that begins with the word ranks above a title that contains it,
 * and both above the rest.
 */
function rankOf({ title, about, words = '' }: Finding, wanted: readonly string[]): number {
  const [first, rest] = [title.toLowerCase(), `${about} ${words}`.toLowerCase()]
  let rank = 1
  for (const word of wanted) {
    if (first.startsWith(word)) rank += 8
    else if (first.includes(word)) rank += 4
    else if (rest.includes(word)) rank += 2
    else if (isLike(first, word)) rank += 1
    else return 0
  }
  return rank
}

/**
 * Whether the text matches with one typing error (a wrong, missing or extra letter), for words of four
 * letters or more.
 */
function isLike(text: string, word: string): boolean {
  return (
    word.length >= 4 &&
    text.split(/[^\p{L}\p{N}]+/u).some((one) => isOneOff(one.slice(0, word.length + 1), word))
  )
}

function isOneOff(one: string, other: string): boolean {
  let start = 0
  while (start < one.length && one[start] === other[start]) start++
  const [a, b] = [one.slice(start), other.slice(start)]
  const isSwapped = b.length > 1 && a.startsWith(`${b.charAt(1)}${b.charAt(0)}${b.slice(2)}`)
  return (
    isSwapped || a.slice(1).startsWith(b.slice(1)) || a.startsWith(b.slice(1)) || a.slice(1).startsWith(b)
  )
}
