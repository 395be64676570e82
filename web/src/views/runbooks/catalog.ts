import type { ListedSession, RunbookItem, RunbookLists } from '../../api/types.ts'
import { fitting, type Searched } from '../../parts/fit.ts'
import { splitPath } from '../../parts/paths.ts'

export interface ListedRunbook {
  readonly repository: string
  readonly item: RunbookItem
  readonly folder: string
  readonly name: string
}

/** A heading, or a runbook below a heading. Results of a search have no heading. */
export type CatalogRow =
  | { readonly kind: 'heading'; readonly text: string; readonly isOpen: boolean; readonly count: number }
  | { readonly kind: 'runbook'; readonly runbook: ListedRunbook; readonly heading: string | undefined }

const RECENT = 'Recent'
/** If there are more files than this, the folders are closed at first. */
const MAX_UNFOLDED_FILES = 50

export function runbooksIn({ repositories }: RunbookLists): ListedRunbook[] {
  return repositories.flatMap(({ repository, items }) =>
    items.map((item) => ({ repository, item, ...splitPath(item.name) })),
  )
}

/** Returns the last session of each file, the newest first. */
export function lastSessions(sessions: readonly ListedSession[]): ReadonlyMap<string, ListedSession> {
  const last = new Map<string, ListedSession>()
  for (const session of sessions) {
    const file = session.labels?.['runbookFile']
    if (file !== undefined && !last.has(file)) last.set(file, session)
  }
  return last
}

/**
 * Returns the runbooks that have all words in the title, the path, the description or the names of
 * parameters. The best fit is first. Among equal fits, the runbook that was run last is first.
 */
export function foundRows(
  runbooks: readonly ListedRunbook[],
  wanted: string,
  recent: readonly string[],
): CatalogRow[] {
  const [first, others] = split(runbooks, recent)
  return fitting([...first, ...others], wanted, searched).map(({ item: runbook }) => ({
    kind: 'runbook',
    runbook,
    heading: undefined,
  }))
}

const TEXTS = new WeakMap<RunbookItem, Searched>()

/** Caches the texts, because there may be 5,000 runbooks. */
function searched({ item, name: file }: ListedRunbook): Searched {
  const known = TEXTS.get(item)
  if (known !== undefined) return known
  const { name, title = file, description = '', metadata } = item
  const shown = title.toLowerCase()
  const about = name.toLowerCase()
  const words = [description, ...Object.keys(metadata)].join(' ').toLowerCase()
  const texts = { title: shown, about, words, near: `${shown} ${about} ${words}` }
  TEXTS.set(item, texts)
  return texts
}

interface Shown {
  readonly recent: readonly string[]
  /** Folders whose state is the opposite of the default, because the user has toggled them. */
  readonly toggled: ReadonlySet<string>
}

/**
 * Returns each runbook once. The runbooks that were run recently come first, and then all others in their
 * folders.
 */
export function rowsOf(runbooks: readonly ListedRunbook[], { recent, toggled }: Shown): CatalogRow[] {
  const [first, others] = split(runbooks, recent)
  const folders = Map.groupBy(others, folderOf)
  const groups = [...(first.length > 0 ? [[RECENT, first] as const] : []), ...sorted(folders)]
  const isFolded = runbooks.length > MAX_UNFOLDED_FILES
  return groups.flatMap(([text, members]) => {
    const isOpen = (isFolded && text !== RECENT) === toggled.has(text)
    const heading = { kind: 'heading', text, isOpen, count: members.length } as const
    const rows = members.map((runbook) => ({ kind: 'runbook', runbook, heading: text }) as const)
    return isOpen ? [heading, ...rows] : [heading]
  })
}

/** Returns the recently run runbooks, the newest first, and all others in their order. */
function split(
  runbooks: readonly ListedRunbook[],
  recent: readonly string[],
): readonly [ListedRunbook[], ListedRunbook[]] {
  const ranks = new Map(recent.map((file, rank) => [file, rank]))
  const isRecent = ({ item }: ListedRunbook) => ranks.has(item.name)
  const first = runbooks
    .filter(isRecent)
    .sort((a, b) => (ranks.get(a.item.name) ?? 0) - (ranks.get(b.item.name) ?? 0))
  return [first, runbooks.filter((runbook) => !isRecent(runbook))]
}

/** Returns the repository for a file outside of folders. */
export function folderOf({ repository, folder }: ListedRunbook): string {
  return folder === '' ? repository : folder
}

function sorted(folders: ReadonlyMap<string, ListedRunbook[]>): [string, ListedRunbook[]][] {
  return [...folders].sort(([a], [b]) => (a < b ? -1 : 1))
}
