import { useState } from 'preact/hooks'
import type { ListedSession } from '../../api/types.ts'
import { sessionName } from '../../parts/called.ts'
import { Icon } from '../../parts/icon.tsx'
import { Empty, Loading, Problem } from '../../parts/messages.tsx'
import { Elapsed, Moment } from '../../parts/moment.tsx'
import { diffPath, sessionPath } from '../../parts/paths.ts'
import { query } from '../../parts/router.ts'
import { Name } from '../../parts/text.tsx'
import { visible } from '../../parts/visible.ts'
import { WindowList } from '../../parts/lists/window-list.tsx'
import { RunsByDay } from './by-day.tsx'
import { Filters, gatewayQuery } from './filters.tsx'
import { useSessionPages, type ParameterSearch } from './pages.ts'
import { StateBadge } from './state.tsx'
import { placeOfSession } from './place.ts'
import { NOT_RECORDED, recordedParameters } from '../runbooks/recorded.ts'

const ROW_PX = 64

/** Shows the sessions. The newest session is first. */
export default function SessionList() {
  const asked = gatewayQuery(query.value).toString()
  const pages = useSessionPages(asked)
  const [chosen, setChosen] = useState<readonly string[]>([])
  const { count, isCapped, search, error } = pages
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
          <span class="soft">{isCapped ? 'the newest 10,000' : count.toLocaleString()}</span>
        )}
        <Compare chosen={chosen} />
      </header>
      <RunsByDay asked={asked} />
      <Filters />
      {error !== undefined && <Problem error={error} />}
      {count === undefined && error === undefined && <Loading rows={6} />}
      {count === 0 && <None isFiltered={asked !== ''} />}
      <Searched search={search} />
      {isCapped && <p class="hint">To find older sessions, narrow the filters.</p>}
      {count !== undefined && count > 0 && (
        <div class="listed-card">
          <div class="listed listed-head" aria-hidden="true">
            <span />
            <span>What</span>
            <span>State</span>
            <span>On</span>
            <span>By</span>
            <span>Asked</span>
            <span class="number">Took</span>
          </div>
          <WindowList label="Sessions" count={count} rowHeight={ROW_PX} row={row} onRows={pages.look} />
        </div>
      )}
    </>
  )
}

/** Says what a search for a parameter could not look at. */
function Searched({ search }: { readonly search: ParameterSearch }) {
  if (search === undefined || (search.is_complete && search.shortened === 0)) return null
  return (
    <p class="hint" role="status">
      {!search.is_complete &&
        `Only the newest ${search.searched.toLocaleString()} runs that match the other filters were searched. To search older runs, narrow the filters. `}
      {search.shortened > 0 &&
        `Of ${search.shortened.toLocaleString()} of these runs, only the first 1,024 characters of the parameters were searched.`}
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
    <span class="push" role="status">
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

interface RowProps {
  readonly session: ListedSession
  readonly isChosen: boolean
  readonly onChoose: (id: string, isChosen: boolean) => void
}

function Row({ session, isChosen, onChoose }: RowProps) {
  const { id, user, start_date: start, began_at: began = null, end_date: end, labels } = session
  const file = labels?.['runbookFile']
  const title = sessionName(session)
  return (
    <div class="listed">
      <input
        type="checkbox"
        aria-label={`Compare ${visible(title)} of ${start}`}
        checked={isChosen}
        onChange={(event) => onChoose(id, event.currentTarget.checked)}
      />
      <div class="listed-what">
        <a class="strong" href={sessionPath(id)} title={file === undefined ? undefined : visible(file)}>
          <Name>{title}</Name>
        </a>
        <Given session={session} />
      </div>
      <span class="listed-state">
        <StateBadge state={session.state} />
      </span>
      <span>
        <Name>{placeOfSession(session)}</Name>
      </span>
      <span>
        <Name>{user}</Name>
      </span>
      <span>
        <Moment at={start} />
      </span>
      <span class="number">{began !== null && end !== null && <Elapsed from={began} to={end} />}</span>
    </div>
  )
}

/** Shows the values of a runbook's parameters, or else its file; the first line of a script. */
function Given({ session: { labels, script_line: line } }: { readonly session: ListedSession }) {
  const values = Object.entries(recordedParameters(labels)).filter(
    ([, value]) => value !== '' && value !== NOT_RECORDED,
  )
  const text = labels?.['runbookFile'] ?? line ?? ''
  if (values.length === 0) return text === '' ? null : <span class="under">{visible(text)}</span>
  return (
    <span class="under">
      {values.map(([name, value]) => (
        <span key={name}>
          <bdi class="value" title={visible(`${name}: ${value}`)}>
            {visible(value)}
          </bdi>{' '}
        </span>
      ))}
    </span>
  )
}
