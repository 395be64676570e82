import type { IconName } from '../parts/icon.tsx'
import { fitting, type Searched } from '../parts/fit.ts'

export interface Finding {
  readonly group: 'Runbooks' | 'Connections' | 'Sessions' | 'Pages' | 'Actions'
  readonly icon: IconName
  readonly title: string
  /** Distinguishes this result from similar ones. Searched, too. */
  readonly about: string
  /** Searched but not shown: paths, names of parameters. */
  readonly words?: string
  readonly open: () => void
}

const GROUPS = ['Runbooks', 'Connections', 'Sessions', 'Pages', 'Actions'] as const

/** Maximum number of results per group. The user finds others with more words. */
const MOST = 6

/** Returns the best results by group, the group with the best result first. All words must match. */
export function best(findings: readonly Finding[], wanted: string): Finding[] {
  const ranked = fitting(findings, wanted, searched)
  const bestOf = (group: Finding['group']) => ranked.find(({ item }) => item.group === group)?.fit ?? 0
  return GROUPS.toSorted((a, b) => bestOf(b) - bestOf(a)).flatMap((group) =>
    ranked
      .filter(({ item }) => item.group === group)
      .slice(0, MOST)
      .map(({ item }) => item),
  )
}

function searched({ title, about, words = '' }: Finding): Searched {
  const shown = title.toLowerCase()
  return { title: shown, about: about.toLowerCase(), words: words.toLowerCase(), near: shown }
}
