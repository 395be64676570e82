import { ChoiceFilter, DateFilter, FilterForm, gatewayFilters, TextFilter } from '../../parts/filters.tsx'

// The filters of the list. The page stores them in the address.

const STATUSES = [
  ['', 'any'],
  ['waiting', 'waits for approval'],
  ['approved', 'approved'],
  ['running', 'running'],
  ['succeeded', 'succeeded'],
  ['failed', 'failed'],
  ['stopped', 'stopped'],
  ['rejected', 'rejected'],
] as const
const KINDS = [
  ['', 'any'],
  ['runbook', 'runbooks'],
  ['script', 'scripts'],
  ['terminal', 'terminals'],
] as const

/** The names of the filters. `review` and `batch` occur only in links of earlier versions. */
const NAMES = 'runbook status connection user parameter kind from to review batch'.split(' ')

export function Filters() {
  return (
    <FilterForm label="Filter sessions" names={NAMES}>
      <TextFilter name="runbook" label="Runbook" isFirst />
      <ChoiceFilter name="status" label="Status" choices={STATUSES} />
      <TextFilter name="connection" label="Connection" placeholder="any, or pg-*" />
      <TextFilter name="user" label="User" />
      <TextFilter name="parameter" label="Parameter" />
      <ChoiceFilter name="kind" label="Kind" choices={KINDS} />
      <DateFilter name="from" label="From" />
      <DateFilter name="to" label="Until" />
    </FilterForm>
  )
}

const OPTIONS = {
  parameter: 'parameter',
  status: 'status',
  kind: 'kind',
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
  for (const name of ['runbook', 'user']) {
    const text = asked.get(name) ?? ''
    if (text !== '') result.set(name, `%${literal(text)}%`)
  }
  const connection = asked.get('connection') ?? ''
  if (connection !== '') result.set('connection', literal(connection).replaceAll('*', '%'))
  return result
}

/** Escapes the wildcards of the gateway's filters. */
export function literal(text: string): string {
  return text.replaceAll(/[\\%_]/g, '\\$&')
}
