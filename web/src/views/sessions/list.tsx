import { useState } from 'preact/hooks'
import type { ListedSession } from '../../api/types.ts'
import { Empty, Loading, Problem } from '../../parts/messages.tsx'
import { Elapsed, Moment } from '../../parts/moment.tsx'
import { diffPath, sessionPath } from '../../parts/paths.ts'
import { query } from '../../parts/router.ts'
import { Name } from '../../parts/text.tsx'
import { visible } from '../../parts/visible.ts'
import { WindowList } from '../../parts/lists/window-list.tsx'
import { Filters, gatewayQuery } from './filters.tsx'
import { useSessionPages } from './pages.ts'
import { StateBadge } from './state.tsx'
import { placeOf } from '../approvals/review-facts.tsx'

const ROW_PX = 64

/** What has run, the newest first. */
export default function SessionList() {
  const asked = gatewayQuery(query.value).toString()
  const pages = useSessionPages(asked)
  const [chosen, setChosen] = useState<readonly string[]>([])
  const { count, isCapped, error } = pages
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
    <section class="view">
      <h1>Sessions</h1>
      <Filters />
      <Compare chosen={chosen} />
      {error !== undefined && <Problem error={error} />}
      {count === undefined && error === undefined && <Loading />}
      {count === 0 && <None isFiltered={asked !== ''} />}
      {isCapped && <p class="hint">These are the newest 10,000. Narrow the filters to find older ones.</p>}
      {count !== undefined && count > 0 && (
        <WindowList label="Sessions" count={count} rowHeight={ROW_PX} row={row} onRows={pages.look} />
      )}
    </section>
  )
}

function None({ isFiltered }: { readonly isFiltered: boolean }) {
  if (isFiltered) return <Empty>No session fits these filters. Clear some of them.</Empty>
  return (
    <Empty>
      Nothing has run yet. <a href="/runbooks">Run a runbook</a>, and it will be here.
    </Empty>
  )
}

function Compare({ chosen }: { readonly chosen: readonly string[] }) {
  const [first, second] = chosen
  if (first === undefined) return null
  return (
    <p class="compare" role="status">
      {second === undefined ? (
        'Choose another session to compare with this one.'
      ) : (
        <a class="button" href={diffPath(first, second)}>
          Compare the two
        </a>
      )}
    </p>
  )
}

interface RowProps {
  readonly session: ListedSession
  readonly isChosen: boolean
  readonly onChoose: (id: string, isChosen: boolean) => void
}

function Row({ session, isChosen, onChoose }: RowProps) {
  const { id, user, start_date: start, end_date: end } = session
  const title = titleOf(session)
  return (
    <div class="session-row">
      <input
        type="checkbox"
        aria-label={`Compare ${visible(title)} of ${start}`}
        checked={isChosen}
        onChange={(event) => onChoose(id, event.currentTarget.checked)}
      />
      <a class="session-title" href={sessionPath(id)}>
        <bdi>{visible(title)}</bdi>
      </a>
      <StateBadge state={session.state} />
      <span class="hint session-about">
        <Name>{placeOfSession(session)}</Name> · <Name>{user}</Name> · <Moment at={start} />
        {end !== null && (
          <>
            {' '}
            · <Elapsed from={start} to={end} />
          </>
        )}
      </span>
    </div>
  )
}

/** The runbook's file, or what else it is. */
export function titleOf({ labels, verb }: Pick<ListedSession, 'labels' | 'verb'>): string {
  return labels?.['runbookFile'] ?? (verb === 'connect' ? 'terminal' : 'script')
}

/** The session of a batch that waits stands for all connections of the batch until it runs. */
export function placeOfSession({ connection, review }: Pick<ListedSession, 'connection' | 'review'>): string {
  const hasBegun = review?.status === 'PROCESSING' || review?.status === 'EXECUTED'
  return review === null || hasBegun ? connection : placeOf({ ...review, connection })
}
