import { ChoiceFilter, DateFilter, FilterForm, gatewayFilters, TextFilter } from '../../parts/filters.tsx'

// Filters of the list, which are stored in the address.

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

/** Only links of earlier versions contain `review` and `batch`. */
const NAMES = 'runbook status connection user parameter kind from to review batch'.split(' ')

export function Filters() {
  return (
    <FilterForm label="Filter sessions" names={NAMES}>
      <TextFilter name="runbook" label="Runbook" isFirst />
      <ChoiceFilter name="status" label="Status" choices={STATUSES} />
      <TextFilter name="connection" label="Connection" />
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
  // Links of earlier versions.
  review: 'review.status',
  batch: 'batch_id',
}
const DAYS = { from: 'start_date', to: 'end_date' }

/** A text is put between two `%`, so that it matches any part of a name. */
export function gatewayQuery(asked: URLSearchParams): URLSearchParams {
  const result = gatewayFilters(asked, OPTIONS, DAYS)
  for (const name of ['runbook', 'connection', 'user']) {
    const text = asked.get(name) ?? ''
    if (text !== '') result.set(name, `%${text.replaceAll(/[\\%_]/g, '\\$&')}%`)
  }
  return result
}
