import './audit.css'
import { useState } from 'preact/hooks'
import { ask } from '../../api/request.ts'
import type { AuditEntry, AuditPage } from '../../api/types.ts'
import { ChoiceFilter, DateFilter, FilterForm, gatewayFilters, TextFilter } from '../../parts/filters.tsx'
import { Icon } from '../../parts/icon.tsx'
import { usePages, type PagedList } from '../../parts/lists/pages.ts'
import { useRowHeight } from '../../parts/lists/row-height.ts'
import { WindowList } from '../../parts/lists/window-list.tsx'
import { Empty, Loading, Note, Problem } from '../../parts/messages.tsx'
import { ClockMoment } from '../../parts/moment.tsx'
import { changeQuery, query } from '../../parts/router.ts'
import { Name } from '../../parts/text.tsx'
import { visible } from '../../parts/visible.ts'
import { ChainFaults, ChainVerdict, useChain } from './chain.tsx'
import { Details } from './details.tsx'
import { ACTIONS, actorText, didText, failureText, lookOf, objectText, TYPES } from './words.ts'

/** Heights of rows of one line and of two lines, in pixels. */
const HEIGHTS = { from: [['(min-width: 60.01rem)', 40]], otherwise: 60 } as const
/** Maximum number of entries, because the gateway sends at most a thousand pages. */
const FURTHEST = 100_000

interface More {
  readonly lookedAt: number | null
  /** Number of views that are folded away; null if they are shown. */
  readonly folded: number | null
}

const ENTRIES: PagedList<AuditEntry, More> = {
  // The list does not follow changes: each reading of the log adds an entry, which would cause the next
  // reading.
  topics: [],
  read: async (asked, { index, size }, signal) => {
    asked.set('page', String(index + 1))
    asked.set('page_size', String(size))
    const { data, pages, text_looked_at: lookedAt, views_left_out: folded } = await readAudit(asked, signal)
    return { items: data, count: Math.min(pages.total, FURTHEST), more: { lookedAt, folded } }
  },
}

const readAudit = (asked: URLSearchParams, signal: AbortSignal) =>
  ask<AuditPage>('GET', `/api/audit/logs?${asked.toString()}`, { signal })

/** Shows who has seen, changed or decided what. */
export default function AuditLog() {
  const asked = gatewayQuery(query.value).toString()
  const { count, more, error, row, look, refresh } = usePages(asked, ENTRIES)
  const { chain, checkNow } = useChain()
  const rowHeight = useRowHeight(HEIGHTS)
  const [opened, setOpened] = useState<AuditEntry | undefined>(undefined)
  return (
    <>
      <header class="head">
        <h1>Audit log</h1>
        {count !== undefined && count > 0 && (
          <span class="soft">{count === FURTHEST ? 'the newest 100,000' : count.toLocaleString()}</span>
        )}
        <ChainVerdict chain={chain} onCheck={checkNow} />
        <div class="line push">
          <button type="button" class="button is-quiet" onClick={refresh}>
            <Icon name="again" />
            Refresh
          </button>
          <Export asked={asked} />
        </div>
        <p>
          Who saw, changed or decided what. Each entry has the hash of the entry before, so a change shows.
        </p>
      </header>
      <ChainFaults chain={chain} />
      <FilterForm label="Filter the audit log" names={NAMES}>
        <TextFilter name="who" label="Who" isFirst />
        <ChoiceFilter name="action" label="Did" choices={ACTIONS} />
        <ChoiceFilter name="about" label="About" choices={TYPES} />
        <ChoiceFilter name="result" label="Result" choices={RESULTS} />
        <TextFilter name="text" label="Text" />
        <DateFilter name="from" label="From" />
        <DateFilter name="to" label="Until" />
      </FilterForm>
      {query.value.get('action') !== 'view' && <LookingSwitch folded={more?.folded ?? null} />}
      {error !== undefined && <Problem error={error} onRetry={refresh} />}
      {count === undefined && error === undefined && <Loading rows={6} />}
      {typeof more?.lookedAt === 'number' && (
        <Note tone="live">
          Only the newest {more.lookedAt.toLocaleString()} entries that fit the other filters were searched
          for the text. To search older entries, choose a day under “Until”, or use an export, which searches
          all entries.
        </Note>
      )}
      {count === 0 && <None isFiltered={asked !== ''} />}
      {count !== undefined && count > 0 && (
        <div class="listed-card">
          <Headings />
          <WindowList
            label="Entries"
            count={count}
            rowHeight={rowHeight}
            onRows={look}
            row={(index) => <Row entry={row(index)} onOpen={setOpened} />}
          />
        </div>
      )}
      {opened !== undefined && <Details entry={opened} onClose={() => setOpened(undefined)} />}
    </>
  )
}

const NAMES = 'who action about result text from to'.split(' ')

const RESULTS = [
  ['', 'any'],
  ['ok', 'succeeded'],
  ['failed', 'failed or refused'],
] as const

const OPTIONS = { who: 'actor', action: 'action', about: 'resource_type', text: 'text' }
const DAYS = { from: 'created_after', to: 'created_before' }

/** Most entries are views. They hide who changed or decided something, so the page folds them away. */
function LookingSwitch({ folded }: { readonly folded: number | null }) {
  return (
    <div class="line audited-fold">
      <label class="tick push">
        <input
          type="checkbox"
          role="switch"
          class="switch"
          checked={query.value.get('views') === 'shown'}
          onChange={(event) => changeQuery({ views: event.currentTarget.checked ? 'shown' : '' })}
        />
        <span>
          Show looking
          {folded !== null && <span class="soft"> ({folded.toLocaleString()} folded away)</span>}
        </span>
      </label>
    </div>
  )
}

function Headings() {
  return (
    <div class="audited is-head" aria-hidden="true">
      {['Time', 'Did what', 'Who', 'From', 'Entry'].map((name) => (
        <span key={name} class={name === 'Entry' ? 'number' : undefined}>
          {name}
        </span>
      ))}
    </div>
  )
}

function gatewayQuery(asked: URLSearchParams): URLSearchParams {
  const result = gatewayFilters(asked, OPTIONS, DAYS)
  const outcome = asked.get('result')
  if (outcome === 'ok' || outcome === 'failed') result.set('outcome', String(outcome === 'ok'))
  if (asked.get('views') !== 'shown' && asked.get('action') !== 'view') result.set('viewed', 'false')
  return result
}

function Export({ asked }: { readonly asked: string }) {
  // `audit verify` needs each entry, so an export has the views, too, if they are only folded away.
  const filters = new URLSearchParams(asked)
  filters.delete('viewed')
  const link = (format: string) =>
    `/api/audit/export?${filters.size === 0 ? '' : `${filters.toString()}&`}format=${format}`
  return (
    <>
      <a class="button" href={link('csv')} download>
        <Icon name="download" />
        CSV
      </a>
      <a
        class="button"
        href={link('jsonl')}
        download
        title="JSON lines, for programs and for runbook-agent audit verify"
      >
        <Icon name="download" />
        JSON
      </a>
    </>
  )
}

function None({ isFiltered }: { readonly isFiltered: boolean }) {
  if (isFiltered)
    return (
      <Empty icon="search" title="No entry fits these filters.">
        Clear some filters, show looking, or choose a longer time. Entries older than{' '}
        <code>history.audit-retain</code> are removed.
      </Empty>
    )
  return (
    <Empty icon="audit" title="The audit log is empty">
      From now on, this page shows who does what.
    </Empty>
  )
}

interface RowProps {
  readonly entry: AuditEntry | undefined
  readonly onOpen: (entry: AuditEntry) => void
}

function Row({ entry, onOpen }: RowProps) {
  if (entry === undefined) return <span class="hint">…</span>
  const { sequence, created_at: at, client_ip: address } = entry
  const [what, failure] = [objectText(entry), failureText(entry)]
  const { icon, tone } = lookOf(entry)
  return (
    <div class="audited">
      <span class="audited-time soft">
        <ClockMoment at={at} />
      </span>
      <span class="audited-what">
        <span class={`line ${tone}`}>
          <Icon name={icon} small />
        </span>
        <button type="button" class="whole" onClick={() => onOpen(entry)}>
          {didText(entry)}
          <span class="said-only">, entry {sequence}</span>
        </button>
        <span class="audited-object" title={visible([what, failure].filter(Boolean).join(' · '))}>
          <Name>{what}</Name>
          {failure !== '' && (
            <span class="audited-failure">
              {' · '}
              <Name>{failure}</Name>
            </span>
          )}
        </span>
      </span>
      <span class="audited-who">
        <Name>{actorText(entry)}</Name>
      </span>
      <span class="audited-from soft">{address}</span>
      <span class="audited-entry number soft" aria-hidden="true">
        {sequence}
      </span>
    </div>
  )
}
