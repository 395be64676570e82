import type { IconName } from '../parts/icon.tsx'
import { fitting, type Searched } from '../parts/fit.ts'

export interface Finding {
  readonly group: 'Runbooks' | 'Connections' | 'Sessions' | 'Pages' | 'Actions'
  readonly icon: IconName
  readonly title: string
  /** A text that distinguishes this result from similar ones. The search also looks in this text. */
  readonly about: string
  /** Texts that are searched but not shown, such as paths and names of parameters. */
  readonly words?: string
  readonly open: () => void
}

const GROUPS = ['Runbooks', 'Connections', 'Sessions', 'Pages', 'Actions'] as const

/** Maximum number of results per group. The user finds other results by typing more words. */
const MAX_RESULTS = 6

/**
 * Returns the best results by group. The group with the best result is first. A result must match all words.
 */
export function best(findings: readonly Finding[], wanted: string): Finding[] {
  const ranked = fitting(findings, wanted, searched)
  const bestOf = (group: Finding['group']) => ranked.find(({ item }) => item.group === group)?.fit ?? 0
  return GROUPS.toSorted((a, b) => bestOf(b) - bestOf(a)).flatMap((group) =>
    ranked
      .filter(({ item }) => item.group === group)
      .slice(0, MAX_RESULTS)
      .map(({ item }) => item),
  )
}

function searched({ title, about, words = '' }: Finding): Searched {
  const shown = title.toLowerCase()
  return { title: shown, about: about.toLowerCase(), words: words.toLowerCase(), near: shown }
}
