import type { ComponentChildren } from 'preact'
import { useEffect, useId, useState } from 'preact/hooks'
import { Icon } from './icon.tsx'
import { changeQuery, query } from './router.ts'

// The filters of a list. The page stores them in the address.

interface FilterFormProps {
  /** Label of the form, such as "Filter sessions". */
  readonly label: string
  /** Names of all filters, including those that only old links have. */
  readonly names: readonly string[]
  readonly children: ComponentChildren
}

/** On a phone, the filters are hidden until the user presses a button. */
export function FilterForm({ label, names, children }: FilterFormProps) {
  const isFiltered = names.some((name) => (query.value.get(name) ?? '') !== '')
  const clear = isFiltered && <ClearButton names={names} />
  return (
    <>
      <div class="line only-phone">
        <button type="button" class="button" popovertarget="filters">
          <Icon name="filter" />
          Filters
        </button>
        {clear}
      </div>
      <form
        class="filters"
        id="filters"
        popover="auto"
        role="search"
        aria-label={label}
        onSubmit={(event) => event.preventDefault()}
      >
        {children}
        {clear}
      </form>
    </>
  )
}

function ClearButton({ names }: { readonly names: readonly string[] }) {
  const clear = () => changeQuery(Object.fromEntries(names.map((name) => [name, ''])))
  return (
    <button type="button" class="button is-quiet" onClick={clear}>
      <Icon name="cross" />
      Clear
    </button>
  )
}

interface FilterProps {
  readonly name: string
  readonly label: string
}

/**
 * Pause in ms after the user stops typing. Each list is a request to the gateway and an entry in its audit
 * log, so one request per letter would be too many.
 */
const TYPED_MS = 200

/** Applies the filter while the user types. */
interface TextProps extends FilterProps {
  readonly isFirst?: boolean
  readonly placeholder?: string
}

export function TextFilter({ name, label, isFirst = false, placeholder = 'any' }: TextProps) {
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
        placeholder={placeholder}
        data-shortcut={isFirst ? 'search' : undefined}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
      />
    </div>
  )
}

interface ChoiceProps extends FilterProps {
  readonly choices: readonly (readonly [value: string, word: string])[]
}

export function ChoiceFilter({ name, label, choices }: ChoiceProps) {
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

export function DateFilter({ name, label }: FilterProps) {
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

/**
 * Returns the filters that have a value, under the gateway's names. `options` maps each filter to its name in
 * the gateway. `days` has the gateway's names for the start of the first day and the end of the last day.
 */
export function gatewayFilters(
  asked: URLSearchParams,
  options: Readonly<Record<string, string>>,
  days: { readonly from: string; readonly to: string },
): URLSearchParams {
  const result = new URLSearchParams()
  for (const [name, option] of Object.entries(options)) {
    const value = asked.get(name) ?? ''
    if (value !== '') result.set(option, value)
  }
  const [from, to] = [dayStart(asked.get('from'), 0), dayStart(asked.get('to'), 1)]
  if (from !== undefined) result.set(days.from, from)
  if (to !== undefined) result.set(days.to, to)
  return result
}

/** Returns the time in the reader's time zone at which a day starts. The day is `days` days after `day`. */
function dayStart(day: string | null, days: number): string | undefined {
  const [year = NaN, month = NaN, date = NaN] = (day ?? '').split('-').map(Number)
  const start = new Date(year, month - 1, date + days)
  return Number.isNaN(start.getTime()) ? undefined : start.toISOString()
}
