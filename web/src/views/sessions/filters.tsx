import { useId } from 'preact/hooks'
import { changeQuery, query } from '../../parts/router.ts'

/** Filters of the list, as they stand in the address. */
const TEXTS = [
  ['user', 'User'],
  ['connection', 'Connection'],
] as const
const DATES = [
  ['from', 'From'],
  ['to', 'Until'],
] as const
const REVIEWS = [
  ['', 'any'],
  ['PENDING', 'waiting'],
  ['APPROVED', 'approved'],
  ['REJECTED', 'rejected'],
  ['EXECUTED', 'executed'],
] as const

export function Filters() {
  const asked = query.value
  const id = useId()
  return (
    <form
      class="filters"
      role="search"
      aria-label="Filter sessions"
      onSubmit={(event) => event.preventDefault()}
    >
      {[...TEXTS, ...DATES].map(([name, label]) => (
        <label key={name}>
          {label}
          <input
            // Preact's types want one of them at a time.
            type={(name === 'from' || name === 'to' ? 'date' : 'search') as 'search'}
            data-shortcut={name === 'user' ? 'search' : undefined}
            value={asked.get(name) ?? ''}
            dir="auto"
            onChange={(event) => changeQuery({ [name]: event.currentTarget.value })}
          />
        </label>
      ))}
      <label for={id}>
        Review
        <select
          id={id}
          value={asked.get('review') ?? ''}
          onChange={(event) => changeQuery({ review: event.currentTarget.value })}
        >
          {REVIEWS.map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      </label>
      <button type="button" onClick={() => changeQuery(NONE)}>
        Clear
      </button>
    </form>
  )
}

const NONE = { user: '', connection: '', from: '', to: '', review: '', batch: '' }

/** What the gateway is asked for. Texts are parts of a name: `%` is anything there. */
export function gatewayQuery(asked: URLSearchParams): URLSearchParams {
  const result = new URLSearchParams()
  for (const [name] of TEXTS) {
    const text = asked.get(name) ?? ''
    if (text !== '') result.set(name, `%${text.replaceAll(/[\\%_]/g, '\\$&')}%`)
  }
  const [from, to] = [dayStart(asked.get('from'), 0), dayStart(asked.get('to'), 1)]
  if (from !== undefined) result.set('start_date', from)
  if (to !== undefined) result.set('end_date', to)
  const review = asked.get('review') ?? ''
  if (review !== '') result.set('review.status', review)
  const batch = asked.get('batch') ?? ''
  if (batch !== '') result.set('batch_id', batch)
  return result
}

/** A day of the calendar begins when it does where the reader is. */
function dayStart(day: string | null, days: number): string | undefined {
  const [year = NaN, month = NaN, date = NaN] = (day ?? '').split('-').map(Number)
  const start = new Date(year, month - 1, date + days)
  return Number.isNaN(start.getTime()) ? undefined : start.toISOString()
}
