import type { ListedSession, RunbookItem, RunbookLists } from '../../api/types.ts'
import { splitPath } from '../../parts/paths.ts'

export interface ListedRunbook {
  readonly repository: string
  readonly item: RunbookItem
  readonly folder: string
  readonly name: string
}

/** A row of the list: a heading or a runbook. */
export type CatalogRow =
  | { readonly kind: 'heading'; readonly text: string; readonly isOpen: boolean; readonly count: number }
  | { readonly kind: 'runbook'; readonly runbook: ListedRunbook; readonly isRecent: boolean }

const RECENT = 'Recent'
/** Number of files up to which folders begin open. */
const MOST_UNFOLDED = 50

export function runbooksIn({ repositories }: RunbookLists): ListedRunbook[] {
  return repositories.flatMap(({ repository, items }) =>
    items.map((item) => ({ repository, item, ...splitPath(item.name) })),
  )
}

/** Returns the files of the last runs, the newest first, each once. */
export function recentFiles(sessions: readonly ListedSession[]): string[] {
  return [
    ...new Set(sessions.map(({ labels }) => labels?.['runbookFile']).filter((file) => file !== undefined)),
  ]
}

/**
 * Returns the runbooks that match: all words have to be in the path, the title, the description or the names
 * of parameters.
 */
export function found(runbooks: readonly ListedRunbook[], wanted: string): readonly ListedRunbook[] {
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return runbooks
  const exact = runbooks.filter(({ item }) => words.every((word) => searched(item).includes(word)))
  // Typing errors are tolerated only when nothing matches the words exactly.
  return exact.length > 0 ? exact : runbooks.filter(({ item }) => words.every((word) => isNear(word, item)))
}

const TEXTS = new WeakMap<RunbookItem, string>()

/** Returns the searchable text of a runbook, cached: there may be 5,000 runbooks. */
function searched(item: RunbookItem): string {
  const known = TEXTS.get(item)
  if (known !== undefined) return known
  const { name, title = '', description = '', metadata } = item
  const text = [name, title, description, ...Object.keys(metadata)].join(' ').toLowerCase()
  TEXTS.set(item, text)
  return text
}

/** Whether a word of the runbook contains the typed word with one typing error, or two in a long word. */
function isNear(typed: string, item: RunbookItem): boolean {
  const text = searched(item)
  if (text.includes(typed)) return true
  if (typed.length < 4) return false
  const most = typed.length < 8 ? 1 : 2
  return text.split(/[^\p{L}\p{N}]+/u).some((word) => beginsNear(typed, word, most))
}

/** Whether the beginning of a word is at most this many edits away; two swapped letters count as one edit. */
function beginsNear(typed: string, word: string, most: number): boolean {
  if (word.length < typed.length - most) return false
  const end = Math.min(word.length, typed.length + most)
  let [older, row] = [[] as number[], Array.from({ length: end + 1 }, (_, at) => at)]
  for (let i = 1; i <= typed.length; i++) {
    const next = [i]
    for (let j = 1; j <= end; j++) {
      const isSame = typed[i - 1] === word[j - 1]
      const isSwapped = i > 1 && j > 1 && typed[i - 1] === word[j - 2] && typed[i - 2] === word[j - 1]
      const ways = [(row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (isSame ? 0 : 1)]
      next.push(Math.min(...ways, isSwapped ? (older[j - 2] ?? 0) + 1 : Infinity))
    }
    if (Math.min(...next) > most) return false
    ;[older, row] = [row, next]
  }
  return Math.min(...row) <= most
}

interface Shown {
  readonly recent: readonly string[]
  /** Folders that the user has opened or folded: their state is the opposite of the default. */
  readonly toggled: ReadonlySet<string>
  readonly isSearching: boolean
}

/** Returns each runbook once: recently run ones first, the others in their folders. */
export function rowsOf(
  runbooks: readonly ListedRunbook[],
  { recent, toggled, isSearching }: Shown,
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
  const isFolded = runbooks.length > MOST_UNFOLDED
  return groups.flatMap(([text, members]) => {
    const isOpen = isSearching || (isFolded && text !== RECENT) === toggled.has(text)
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
