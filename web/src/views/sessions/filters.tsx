import { Icon } from '../../parts/icon.tsx'
import { ChoiceFilter, DateFilter, FilterForm, gatewayFilters, TextFilter } from '../../parts/filters.tsx'
import { changeQuery, query } from '../../parts/router.ts'
import { visible } from '../../parts/visible.ts'
import { ORDERS } from './order.ts'

// The filters of the list. The page stores them in the address.

const STATUSES = [
  ['', 'any'],
  ['open', 'open'],
  ['waiting', 'waits for approval'],
  ['approved', 'approved'],
  ['running', 'running'],
  ['succeeded', 'succeeded'],
  ['failed', 'failed'],
  ['refused', 'refused'],
  ['stopped', 'stopped'],
  ['rejected', 'rejected'],
  ['withdrawn', 'withdrawn'],
  ['expired', 'expired'],
] as const
const KINDS = [
  ['', 'any'],
  ['runbook', 'runbooks'],
  ['script', 'scripts'],
  ['terminal', 'terminals'],
  ['list', 'lists of choices'],
] as const

/** Filters that only links have, with their names for users. */
const BY_LINK = {
  runbook: 'Runbook',
  parameter: 'Parameter',
  schedule: 'Schedule',
  batch: 'Batch',
  review: 'Review',
} as const
/** The names of the filters in the address. */
export const NAMES = 'text status connection user kind from to'.split(' ').concat(Object.keys(BY_LINK))

export function Filters() {
  return (
    <>
      <FilterForm label="Filter sessions" names={NAMES}>
        <div class="filter-text">
          <TextFilter name="text" label="Search" placeholder="runbook, values, user, reason" isFirst />
        </div>
        <ChoiceFilter name="status" label="State" choices={STATUSES} />
        <TextFilter name="connection" label="Connection" placeholder="any, or pg-*" />
        <TextFilter name="user" label="User" />
        <ChoiceFilter name="kind" label="Kind" choices={KINDS} />
        <DateFilter name="from" label="From" />
        <DateFilter name="to" label="Until" />
        <div class="filter-order">
          <ChoiceFilter name="sort" label="Order" choices={ORDERS} />
        </div>
      </FilterForm>
      <FiltersByLink />
    </>
  )
}

function FiltersByLink() {
  const given = Object.entries(BY_LINK).filter(([name]) => (query.value.get(name) ?? '') !== '')
  if (given.length === 0) return null
  return (
    <ul class="line" aria-label="Other filters">
      {given.map(([name, word]) => (
        <li key={name}>
          <span class="chip">
            <span>
              {word}: <bdi>{visible(query.value.get(name) ?? '')}</bdi>
            </span>
            <button
              type="button"
              class="button is-quiet is-icon is-small"
              aria-label={`Remove the filter ${word}`}
              title="Remove"
              onClick={() => changeQuery({ [name]: '' })}
            >
              <Icon name="cross" small />
            </button>
          </span>
        </li>
      ))}
    </ul>
  )
}

const OPTIONS = {
  text: 'text',
  parameter: 'parameter',
  kind: 'kind',
  schedule: 'schedule',
  // Filters that occur only in links of earlier versions.
  review: 'review.status',
  batch: 'batch_id',
}
const DAYS = { from: 'start_date', to: 'end_date' }

/**
 * A text matches any part of a runbook or a user. A connection has to be the whole name, because many names begin
 * alike; `*` stands for any text.
 */
export function gatewayQuery(asked: URLSearchParams): URLSearchParams {
  const result = gatewayFilters(asked, OPTIONS, DAYS)
  const status = asked.get('status') ?? ''
  // hoop's word `open` leaves out approved sessions.
  if (status !== '') result.set('status', status === 'open' ? 'waiting,approved,running' : status)
  for (const name of ['runbook', 'user']) {
    const text = asked.get(name) ?? ''
    if (text !== '') result.set(name, `%${literal(text)}%`)
  }
  const connection = asked.get('connection') ?? ''
  if (connection !== '') result.set('connection', literal(connection).replaceAll('*', '%'))
  return result
}

/** Escapes the wildcards of the gateway's filters. */
function literal(text: string): string {
  return text.replaceAll(/[\\%_]/g, '\\$&')
}
