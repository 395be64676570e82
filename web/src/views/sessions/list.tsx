import './sessions.css'
import { useState } from 'preact/hooks'
import { Icon } from '../../parts/icon.tsx'
import { Empty, Loading, Problem } from '../../parts/messages.tsx'
import { diffPath } from '../../parts/paths.ts'
import { changeQuery, query } from '../../parts/router.ts'
import { useRowHeight } from '../../parts/lists/row-height.ts'
import { WindowList } from '../../parts/lists/window-list.tsx'
import { RunsByDay } from './by-day.tsx'
import { Filters, gatewayQuery } from './filters.tsx'
import { foldsSchedules, orderOf, orderQuery, rowsQuery, turnOrder, type Order } from './order.ts'
import { useSessionPages, type LookedAt, type ParameterSearch } from './pages.ts'
import { Row } from './row.tsx'
import { SavedFilters } from './saved.tsx'

/** In a narrow window a row has two lines, on a phone three. sessions.css has the same widths. */
const HEIGHTS = {
  from: [
    ['(min-width: 60.01rem)', 40],
    ['(min-width: 30.01rem)', 64],
  ],
  otherwise: 84,
} as const

/** Shows the sessions. The newest session is first unless the user chooses another order. */
export default function SessionList() {
  const filters = gatewayQuery(query.value)
  const rows = rowsQuery(query.value).toString()
  const asked = filters.toString()
  const pages = useSessionPages([asked, rows].filter(Boolean).join('&'))
  const rowHeight = useRowHeight(HEIGHTS)
  const [chosen, setChosen] = useState<readonly string[]>([])
  const { count, isCapped, search, lookedAt, error } = pages
  const choose = (id: string, isChosen: boolean) =>
    setChosen((before) => (isChosen ? [...before, id].slice(-2) : before.filter((one) => one !== id)))
  const row = (index: number) => {
    const session = pages.row(index)
    return session === undefined ? (
      <span class="hint">…</span>
    ) : (
      <Row session={session} isChosen={chosen.includes(session.id)} onChoose={choose} />
    )
  }
  return (
    <>
      <header class="head">
        <h1>Sessions</h1>
        {count !== undefined && count > 0 && (
          <span class="soft">{isCapped ? 'the first 10,000' : count.toLocaleString()}</span>
        )}
        <div class="line push">
          <Compare chosen={chosen} />
          {count !== undefined && count > 0 && <Export filters={filters} />}
        </div>
      </header>
      <RunsByDay asked={asked} />
      <div class="line saved-line">
        <SavedFilters />
        <label class="tick push">
          <input
            type="checkbox"
            role="switch"
            class="switch"
            checked={foldsSchedules(query.value)}
            onChange={(event) => changeQuery({ fold: event.currentTarget.checked ? '' : 'no' })}
          />
          Fold schedules
        </label>
      </div>
      <Filters />
      {error !== undefined && <Problem error={error} />}
      {count === undefined && error === undefined && <Loading rows={6} />}
      {count === 0 && <None isFiltered={asked !== ''} />}
      <Searched lookedAt={lookedAt} search={search} />
      {isCapped && lookedAt?.is_complete !== false && (
        <p class="hint">To find more sessions, narrow the filters.</p>
      )}
      {count !== undefined && count > 0 && (
        <div class="listed-card">
          <Headings />
          <WindowList label="Sessions" count={count} rowHeight={rowHeight} row={row} onRows={pages.look} />
        </div>
      )}
    </>
  )
}

/** Each order of a column, and the order that a second press chooses. */
const COLUMNS: readonly (readonly [name: string, orders: readonly [Order, Order] | undefined])[] = [
  ['What', ['runbook', 'runbook-down']],
  ['State', undefined],
  ['On', ['connection', 'connection-down']],
  ['By', ['user', 'user-down']],
  ['Asked', ['', 'oldest']],
  ['Took', ['longest', 'shortest']],
]
const ARROWS: Readonly<Partial<Record<Order, 'up'>>> = {
  runbook: 'up',
  connection: 'up',
  user: 'up',
  oldest: 'up',
  shortest: 'up',
}

/** In a narrow window, the filters have the order instead. */
function Headings() {
  const present = orderOf(query.value)
  return (
    <div class="listed listed-head" role="group" aria-label="Order of the list">
      <span />
      {COLUMNS.map(([name, orders]) => {
        const isNumber = name === 'Asked' || name === 'Took'
        if (orders === undefined) return <span key={name}>{name}</span>
        const isChosen = orders.includes(present)
        return (
          <span key={name} class={isNumber ? 'number' : undefined}>
            <button
              type="button"
              class="button is-quiet is-small"
              aria-label={`Sort by ${name.toLowerCase()}`}
              aria-pressed={isChosen}
              onClick={() => turnOrder(present, orders)}
            >
              {name}
              <Icon name={isChosen ? (ARROWS[present] ?? 'down') : 'sort'} small />
            </button>
          </span>
        )
      })}
    </div>
  )
}

function Export({ filters }: { readonly filters: URLSearchParams }) {
  const options = new URLSearchParams([...filters, ...orderQuery(query.value), ['format', 'csv']])
  return (
    <a
      class="button"
      href={`/api/sessions/export?${options.toString()}`}
      download
      title="CSV of these sessions in this order, with exact times. The sessions of folded rows have a line each."
    >
      <Icon name="download" />
      Export
    </a>
  )
}

interface SearchedProps {
  readonly lookedAt: LookedAt
  readonly search: ParameterSearch
}

/** Says what a search, an order or folded rows could not look at. */
function Searched({ lookedAt, search }: SearchedProps) {
  const order = orderOf(query.value)
  const isByLength = order === 'longest' || order === 'shortest'
  const isComplete = lookedAt?.is_complete !== false
  const shortened = search?.shortened ?? 0
  if (isComplete && shortened === 0 && !isByLength) return null
  const which = isByLength ? order : order === 'oldest' ? 'oldest' : 'newest'
  return (
    <p class="hint" role="status">
      {isByLength && 'Sessions that never began or have not ended have no duration and are left out. '}
      {!isComplete &&
        `Only the ${which} ${lookedAt.sessions.toLocaleString()} sessions that match the filters were searched, sorted and folded. For others, narrow the filters. `}
      {shortened > 0 &&
        `Of ${shortened.toLocaleString()} of these runs, only the first 1,024 characters of the parameters were searched.`}
    </p>
  )
}

function None({ isFiltered }: { readonly isFiltered: boolean }) {
  if (isFiltered)
    return (
      <Empty icon="search" title="No session fits these filters.">
        Clear some filters, or choose a longer time.
      </Empty>
    )
  return (
    <Empty
      icon="sessions"
      title="No session has run yet"
      actions={
        <a class="button" href="/runbooks">
          Look at the runbooks
        </a>
      }
    >
      Your runs appear here, with their output.
    </Empty>
  )
}

function Compare({ chosen }: { readonly chosen: readonly string[] }) {
  const [first, second] = chosen
  if (first === undefined) return null
  return (
    <span role="status">
      {second === undefined ? (
        <span class="soft small">Choose another session to compare with this one.</span>
      ) : (
        <a class="button" href={diffPath(first, second)}>
          <Icon name="diff" />
          Compare the two sessions
        </a>
      )}
    </span>
  )
}
