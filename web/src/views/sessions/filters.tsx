import { useEffect, useId, useState } from 'preact/hooks'
import { Icon } from '../../parts/icon.tsx'
import { changeQuery, query } from '../../parts/router.ts'

// Filters of the list, as they stand in the address.

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

const NONE = {
  ...{ runbook: '', status: '', connection: '', user: '', parameter: '', kind: '' },
  ...{ from: '', to: '', review: '', batch: '' },
}

export function Filters() {
  const isFiltered = Object.keys(NONE).some((name) => (query.value.get(name) ?? '') !== '')
  return (
    <>
      <div class="line only-phone">
        <button type="button" class="button" popovertarget="filters">
          <Icon name="filter" />
          Filters
        </button>
        {isFiltered && <ClearButton />}
      </div>
      <form
        class="filters"
        id="filters"
        popover="auto"
        role="search"
        aria-label="Filter sessions"
        onSubmit={(event) => event.preventDefault()}
      >
        <TextFilter name="runbook" label="Runbook" />
        <ChoiceFilter name="status" label="Status" choices={STATUSES} />
        <TextFilter name="connection" label="Connection" />
        <TextFilter name="user" label="User" />
        <TextFilter name="parameter" label="Parameter" />
        <ChoiceFilter name="kind" label="Kind" choices={KINDS} />
        <DateFilter name="from" label="From" />
        <DateFilter name="to" label="Until" />
        {isFiltered && <ClearButton />}
      </form>
    </>
  )
}

function ClearButton() {
  return (
    <button type="button" class="button is-quiet" onClick={() => changeQuery(NONE)}>
      <Icon name="cross" />
      Clear
    </button>
  )
}

interface FilterProps {
  readonly name: keyof typeof NONE
  readonly label: string
}

/** Each list is asked for at the gateway, and noted in its audit log: not for every letter of a word. */
const TYPED_MS = 200

/** Applies while it is typed. */
function TextFilter({ name, label }: FilterProps) {
  const id = useId()
  const applied = query.value.get(name) ?? ''
  const [text, setText] = useState(applied)
  useEffect(() => setText(applied), [applied])
  useEffect(() => {
    if (text === applied) return undefined
    const timer = setTimeout(() => changeQuery({ [name]: text }), TYPED_MS)
    return () => clearTimeout(timer)
  }, [name, text])
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="search"
        dir="auto"
        placeholder="any"
        data-shortcut={name === 'runbook' ? 'search' : undefined}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
      />
    </div>
  )
}

interface ChoiceProps extends FilterProps {
  readonly choices: readonly (readonly [value: string, word: string])[]
}

function ChoiceFilter({ name, label, choices }: ChoiceProps) {
  const id = useId()
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select
        id={id}
        value={query.value.get(name) ?? ''}
        onChange={(event) => changeQuery({ [name]: event.currentTarget.value })}
      >
        {choices.map(([value, word]) => (
          <option key={value} value={value}>
            {word}
          </option>
        ))}
      </select>
    </div>
  )
}

function DateFilter({ name, label }: FilterProps) {
  const id = useId()
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="date"
        value={query.value.get(name) ?? ''}
        onChange={(event) => changeQuery({ [name]: event.currentTarget.value })}
      />
    </div>
  )
}

/** What the gateway is asked for. Texts are parts of a name: `%` is anything there. */
export function gatewayQuery(asked: URLSearchParams): URLSearchParams {
  const result = new URLSearchParams()
  const take = (name: string, option: string) => {
    const value = asked.get(name) ?? ''
    if (value !== '') result.set(option, value)
  }
  for (const name of ['runbook', 'connection', 'user']) {
    const text = asked.get(name) ?? ''
    if (text !== '') result.set(name, `%${text.replaceAll(/[\\%_]/g, '\\$&')}%`)
  }
  take('parameter', 'parameter')
  const [from, to] = [dayStart(asked.get('from'), 0), dayStart(asked.get('to'), 1)]
  if (from !== undefined) result.set('start_date', from)
  if (to !== undefined) result.set('end_date', to)
  take('status', 'status')
  take('kind', 'kind')
  // Links of earlier versions.
  take('review', 'review.status')
  take('batch', 'batch_id')
  return result
}

/** A day of the calendar begins when it does where the reader is. */
function dayStart(day: string | null, days: number): string | undefined {
  const [year = NaN, month = NaN, date = NaN] = (day ?? '').split('-').map(Number)
  const start = new Date(year, month - 1, date + days)
  return Number.isNaN(start.getTime()) ? undefined : start.toISOString()
}
