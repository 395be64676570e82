import type { ListedSession, RunbookItem, RunbookLists } from '../../api/types.ts'
import { splitPath } from '../../parts/paths.ts'

/** A runbook in the list. */
export interface ListedRunbook {
  readonly repository: string
  readonly item: RunbookItem
  readonly folder: string
  readonly name: string
}

/** What stands in a row. */
export type CatalogRow =
  | { readonly kind: 'heading'; readonly text: string; readonly isOpen: boolean; readonly count: number }
  | { readonly kind: 'runbook'; readonly runbook: ListedRunbook; readonly isRecent: boolean }

const RECENT = 'Recent'

export function runbooksIn({ repositories }: RunbookLists): ListedRunbook[] {
  return repositories.flatMap(({ repository, items }) =>
    items.map((item) => ({ repository, item, ...splitPath(item.name) })),
  )
}

/** The files that were run last, the newest first, each once. */
export function recentFiles(sessions: readonly ListedSession[]): string[] {
  return [
    ...new Set(sessions.map(({ labels }) => labels?.['runbookFile']).filter((file) => file !== undefined)),
  ]
}

/** All words have to be in the path or in a description of a parameter. */
export function found(runbooks: readonly ListedRunbook[], wanted: string): readonly ListedRunbook[] {
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return runbooks
  return runbooks.filter(({ item }) => {
    const text = `${item.name} ${Object.keys(item.metadata).join(' ')}`.toLowerCase()
    return words.every((word) => text.includes(word))
  })
}

interface Shown {
  readonly recent: readonly string[]
  readonly closed: ReadonlySet<string>
  readonly isSearching: boolean
}

/** Each runbook once: those that were run lately first, the others in their folders. */
export function rowsOf(
  runbooks: readonly ListedRunbook[],
  { recent, closed, isSearching }: Shown,
): CatalogRow[] {
  const ranks = new Map(recent.map((file, rank) => [file, rank]))
  const isRecent = ({ item }: ListedRunbook) => ranks.has(item.name)
  const first = runbooks
    .filter(isRecent)
    .sort((a, b) => (ranks.get(a.item.name) ?? 0) - (ranks.get(b.item.name) ?? 0))
  const folders = Map.groupBy(
    runbooks.filter((runbook) => !isRecent(runbook)),
    headingOf,
  )
  const groups = [...(first.length > 0 ? [[RECENT, first] as const] : []), ...sorted(folders)]
  return groups.flatMap(([text, members]) => {
    const isOpen = isSearching || !closed.has(text)
    const heading = { kind: 'heading', text, isOpen, count: members.length } as const
    const rows = members.map((runbook) => ({ kind: 'runbook', runbook, isRecent: text === RECENT }) as const)
    return isOpen ? [heading, ...rows] : [heading]
  })
}

function headingOf({ repository, folder }: ListedRunbook): string {
  return folder === '' ? repository : folder
}

function sorted(folders: ReadonlyMap<string, ListedRunbook[]>): [string, ListedRunbook[]][] {
  return [...folders].sort(([a], [b]) => (a < b ? -1 : 1))
}
