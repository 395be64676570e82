import { useMemo, useState } from 'preact/hooks'
import { readOwnSessions, readRunbooks } from '../../api/gateway.ts'
import type { ListedSession } from '../../api/types.ts'
import { FavouriteButton } from '../../parts/favourites.tsx'
import { Icon } from '../../parts/icon.tsx'
import { useLoaded } from '../../parts/loaded.ts'
import { Empty, Loading, Note, Problem } from '../../parts/messages.tsx'
import { runbookPath } from '../../parts/paths.ts'
import { go, query } from '../../parts/router.ts'
import { State } from '../../parts/state.tsx'
import { Name } from '../../parts/text.tsx'
import { visible } from '../../parts/visible.ts'
import { ClearSearch, SearchField } from '../../parts/lists/search.tsx'
import { useRowHeight } from '../../parts/lists/row-height.ts'
import { WindowList } from '../../parts/lists/window-list.tsx'
import { kindOfState } from '../sessions/state.tsx'
import {
  folderOf,
  foundRows,
  lastSessions,
  rowsOf,
  runbooksIn,
  type CatalogRow,
  type ListedRunbook,
} from './catalog.ts'

/** On a phone a title has two lines. lists.css has the same width. */
const HEIGHTS = { from: [['(min-width: 48.01rem)', 56]], otherwise: 64 } as const
const MAX_RECENT = 8

/** All runbooks by folder, or the results of a search with the best match first. */
export default function RunbookList() {
  const list = useLoaded(readList)
  const { all, last, errors } = list.value ?? NOTHING
  const recent = useMemo(() => [...last.keys()].slice(0, MAX_RECENT), [last])
  const wanted = query.value.get('search') ?? ''
  const [toggled, setToggled] = useState<ReadonlySet<string>>(new Set())
  const rows = useMemo(
    () => (wanted.trim() === '' ? rowsOf(all, { recent, toggled }) : foundRows(all, wanted, recent)),
    [all, wanted, recent, toggled],
  )
  const toggle = (text: string) => setToggled((before) => before.symmetricDifference(new Set([text])))
  return (
    <section class="view">
      <h1>Runbooks</h1>
      <SearchField name="Runbooks" onEnter={() => openOnly(rows)} />
      {list.error !== undefined && <Problem error={list.error} onRetry={list.reload} />}
      {errors.map((error) => (
        <Note tone="bad" role="alert" key={error}>
          {visible(error)}
        </Note>
      ))}
      {list.value === undefined && list.error === undefined && <Loading />}
      {list.value !== undefined && (
        <Rows rows={rows} total={all.length} wanted={wanted} last={last} onToggle={toggle} />
      )}
    </section>
  )
}

interface List {
  readonly all: readonly ListedRunbook[]
  /** The person's last session of each file, the newest first. */
  readonly last: ReadonlyMap<string, ListedSession>
  readonly errors: readonly string[]
}

const NOTHING: List = { all: [], last: new Map(), errors: [] }

/**
 * Waits for both answers, because rows that are drawn first would move under the pointer as soon as the recent
 * runbooks are known. Without the sessions the list has no recent runbooks; the view of sessions shows the
 * error.
 */
async function readList(signal: AbortSignal): Promise<List> {
  const [lists, sessions] = await Promise.all([readRunbooks(signal), readOwnSessions(signal).catch(() => [])])
  return { all: runbooksIn(lists), last: lastSessions(sessions), errors: lists.errors }
}

/** Opens the only result of the search when the user presses Enter. */
function openOnly(rows: readonly CatalogRow[]): void {
  const [only, ...others] = rows.flatMap((row) => (row.kind === 'runbook' ? [row.runbook] : []))
  if (only !== undefined && others.length === 0) go(runbookPath(only.repository, only.item.name))
}

interface RowsProps {
  readonly rows: readonly CatalogRow[]
  readonly total: number
  readonly wanted: string
  readonly last: List['last']
  readonly onToggle: (text: string) => void
}

function Rows({ rows, total, wanted, last, onToggle }: RowsProps) {
  const rowHeight = useRowHeight(HEIGHTS)
  if (total === 0)
    return (
      <Empty icon="book" title="No runbook exists yet">
        Commit a file with <code>.runbook.</code> in its name to the repository of a connection, then reload
        this page.
      </Empty>
    )
  if (rows.length === 0)
    return (
      <Empty
        icon="search"
        title={
          <>
            No runbook has “<bdi>{visible(wanted)}</bdi>”
          </>
        }
        actions={<ClearSearch />}
      >
        Titles, descriptions, paths and parameters were searched. Try fewer letters.
      </Empty>
    )
  const row = (index: number) => {
    const one = rows[index]
    if (one === undefined) return null
    return one.kind === 'heading' ? (
      <Heading row={one} onToggle={onToggle} />
    ) : (
      <Runbook runbook={one.runbook} heading={one.heading} last={last.get(one.runbook.item.name)} />
    )
  }
  return (
    <>
      {wanted !== '' && (
        <p class="said-only" role="status">
          {rows.length === 1 ? '1 runbook found' : `${rows.length} runbooks found`}
        </p>
      )}
      <WindowList label="Runbooks" count={rows.length} rowHeight={rowHeight} row={row} />
    </>
  )
}

type HeadingRow = Extract<CatalogRow, { kind: 'heading' }>

function Heading({ row, onToggle }: { readonly row: HeadingRow; readonly onToggle: (text: string) => void }) {
  return (
    <button class="folder" aria-expanded={row.isOpen} onClick={() => onToggle(row.text)}>
      <span aria-hidden="true">{row.isOpen ? '▾' : '▸'}</span> <Name>{row.text}</Name>
      <span class="soft small"> {row.count}</span>
    </button>
  )
}

interface RunbookProps {
  readonly runbook: ListedRunbook
  readonly heading: string | undefined
  /** The person's last session of the runbook. */
  readonly last: ListedSession | undefined
}

function Runbook({ runbook, heading, last }: RunbookProps) {
  const { repository, item, folder, name } = runbook
  const { connections = [], asks = [] } = item
  const isInFolder = heading === folderOf(runbook)
  return (
    <div class="runbook">
      <span class="row-text">
        <a
          class="whole"
          href={runbookPath(repository, item.name)}
          aria-label={visible(item.title === undefined ? item.name : `${item.title}, ${item.name}`)}
        >
          {!isInFolder && item.title === undefined && folder !== '' && (
            <span class="folder-part">{visible(`${folder}/`)}</span>
          )}
          <bdi>{visible(item.title ?? name)}</bdi>
        </a>
        {item.title !== undefined && (
          <span class="hint">
            {!isInFolder && item.description !== undefined && (
              <>
                <Name>{folderOf(runbook)}</Name> ·{' '}
              </>
            )}
            <bdi>{visible(item.description?.split('\n')[0] ?? item.name)}</bdi>
          </span>
        )}
      </span>
      {last !== undefined && last.labels?.['runbookRepository'] === repository && (
        <span class="runbook-chip" title={visible(`Your last run: ${last.state.text}`)}>
          <State kind={kindOfState(last.state)} />
        </span>
      )}
      {asks.length > 0 && (
        <span
          class="chip runbook-chip"
          title={visible(`On some or all of its connections, a run needs approval: ${asks.join(', ')}`)}
        >
          <Icon name="approve" small />
          <span class="only-wide">
            asks <Name>{asks.join(', ')}</Name>
          </span>
          <span class="said-only only-narrow">asks {visible(asks.join(', '))}</span>
        </span>
      )}
      <span class="hint" title={visible(connections.join(', '))}>
        {item.error === null ? <Name>{placesText(connections)}</Name> : 'cannot be run'}
      </span>
      <FavouriteButton {...{ repository }} file={item.name} title={visible(item.title ?? name)} />
    </div>
  )
}

const MAX_NAMES = 2

/** The list of connections is the same in many rows, so most of them are a number. The form has all names. */
function placesText(connections: readonly string[]): string {
  return connections.length <= MAX_NAMES ? connections.join(', ') : `${connections.length} connections`
}
