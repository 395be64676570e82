import './audit.css'
import { useState } from 'preact/hooks'
import { ask } from '../../api/request.ts'
import type { AuditEntry, AuditPage } from '../../api/types.ts'
import { ChoiceFilter, DateFilter, FilterForm, gatewayFilters, TextFilter } from '../../parts/filters.tsx'
import { Icon } from '../../parts/icon.tsx'
import { usePages, type PagedList } from '../../parts/lists/pages.ts'
import { WindowList } from '../../parts/lists/window-list.tsx'
import { Empty, Loading, Note, Problem } from '../../parts/messages.tsx'
import { ExactMoment } from '../../parts/moment.tsx'
import { query } from '../../parts/router.ts'
import { State } from '../../parts/state.tsx'
import { Name } from '../../parts/text.tsx'
import { Details } from './details.tsx'
import { ACTIONS, deedOf, thingOf, TYPES } from './words.ts'

const ROW_PX = 56
/** Maximum number of entries, because the gateway sends at most a thousand pages. */
const FURTHEST = 100_000

const ENTRIES: PagedList<AuditEntry, { readonly lookedAt: number | null }> = {
  // The list does not follow changes: each reading of the log adds an entry, which would cause the next
  // reading.
  topics: [],
  read: async (asked, { index, size }, signal) => {
    asked.set('page', String(index + 1))
    asked.set('page_size', String(size))
    const { data, pages, text_looked_at: lookedAt } = await readAudit(asked, signal)
    return { items: data, count: Math.min(pages.total, FURTHEST), more: { lookedAt } }
  },
}

const readAudit = (asked: URLSearchParams, signal: AbortSignal) =>
  ask<AuditPage>('GET', `/api/audit/logs?${asked.toString()}`, { signal })

/** Shows who has seen, changed or decided what. */
export default function AuditLog() {
  const asked = gatewayQuery(query.value).toString()
  const { count, more, error, row, look, refresh } = usePages(asked, ENTRIES)
  const [opened, setOpened] = useState<AuditEntry | undefined>(undefined)
  return (
    <>
      <header class="head">
        <h1>Audit log</h1>
        {count !== undefined && count > 0 && (
          <span class="soft">{count === FURTHEST ? 'the newest 100,000' : count.toLocaleString()}</span>
        )}
        <div class="line push">
          <button type="button" class="button is-quiet" onClick={refresh}>
            <Icon name="again" />
            Refresh
          </button>
          <Export asked={asked} />
        </div>
        <p>Who saw, changed or decided what. Each entry has the hash of the previous entry.</p>
      </header>
      <FilterForm label="Filter the audit log" names={NAMES}>
        <TextFilter name="who" label="Who" isFirst />
        <ChoiceFilter name="action" label="Action" choices={ACTIONS} />
        <ChoiceFilter name="about" label="About" choices={TYPES} />
        <ChoiceFilter name="result" label="Result" choices={RESULTS} />
        <TextFilter name="text" label="Text" />
        <ChoiceFilter name="views" label="Looking" choices={VIEWS} />
        <DateFilter name="from" label="From" />
        <DateFilter name="to" label="Until" />
      </FilterForm>
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
          <WindowList
            label="Entries"
            count={count}
            rowHeight={ROW_PX}
            onRows={look}
            row={(index) => <Row entry={row(index)} onOpen={setOpened} />}
          />
        </div>
      )}
      {opened !== undefined && <Details entry={opened} onClose={() => setOpened(undefined)} />}
    </>
  )
}

const NAMES = 'who action about result text views from to'.split(' ')

const RESULTS = [
  ['', 'any'],
  ['ok', 'succeeded'],
  ['failed', 'failed or refused'],
] as const

/** Most entries are views. They hide who changed or decided something, so the page folds them away. */
const VIEWS = [
  ['', 'folded away'],
  ['shown', 'shown'],
] as const

const OPTIONS = { who: 'actor', action: 'action', about: 'resource_type', text: 'text' }
const DAYS = { from: 'created_after', to: 'created_before' }

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
  const { sequence, created_at: at, actor, client_ip: address, outcome, http_status: status } = entry
  return (
    <div class="audited">
      <span class="audited-time soft">
        <ExactMoment at={at} />
      </span>
      <span class="audited-who">
        <Name>{actor || 'unknown user'}</Name>
        <span class="under">
          <Name>{address}</Name>
        </span>
      </span>
      <span class="audited-what">
        <button type="button" class="whole" onClick={() => onOpen(entry)}>
          {deedOf(entry)}
          <span class="said-only">, entry {sequence}</span>
        </button>
        <span class="under">
          <Name>{thingOf(entry)}</Name>
        </span>
      </span>
      <span class="audited-result">
        {outcome ? (
          <State kind="succeeded">ok</State>
        ) : (
          <State kind="failed">{status >= 400 ? `failed (${status})` : 'failed'}</State>
        )}
      </span>
    </div>
  )
}
