import { useId } from 'preact/hooks'
import { Choice } from '../../form/choice.tsx'

/** The lifetimes in seconds. A token with an empty text as lifetime does not expire. */
export const LIFETIMES = [
  ['604800', '7 days'],
  ['2592000', '30 days'],
  ['7776000', '90 days'],
  ['31536000', '1 year'],
  ['', 'does not expire'],
] as const

const UNTIL = 'until '
/** Maximum lifetime. The gateway's own limit is slightly higher. */
const MAX_MS = 100 * 365 * 24 * 60 * 60 * 1000

interface LifetimeProps {
  readonly label: string
  /**
   * The lifetime: seconds, an empty text for a token that does not expire, `until 2027-01-31`, or a value of
   * `options`.
   */
  readonly value: string
  readonly onValue: (value: string) => void
  readonly options: readonly (readonly [value: string, words: string])[]
}

/** Lets the user choose one of the options, or a day until which the token is valid. */
export function Lifetime({ label, value, onValue, options }: LifetimeProps) {
  const id = useId()
  const isDay = value.startsWith(UNTIL)
  return (
    <>
      <Choice
        label={label}
        hint={endText(value)}
        value={isDay ? UNTIL : value}
        onValue={onValue}
        options={[...options, [UNTIL, 'until a day of your choice']]}
      />
      {isDay && (
        <div class="field">
          <label for={id}>Last day</label>
          <input
            id={id}
            type="date"
            required
            min={dayText(new Date())}
            max={dayText(new Date(Date.now() + MAX_MS))}
            value={value.slice(UNTIL.length)}
            onInput={(event) => onValue(`${UNTIL}${event.currentTarget.value}`)}
          />
        </div>
      )}
    </>
  )
}

/**
 * Returns the lifetime for the request. It is null for a token that does not expire, and undefined as long as
 * no valid day is chosen.
 */
export function lifetimeSeconds(value: string): number | null | undefined {
  if (value === '') return null
  if (!value.startsWith(UNTIL)) return Number(value)
  const left = endOfDay(value.slice(UNTIL.length)) - Date.now()
  return left > 0 && left < MAX_MS ? Math.ceil(left / 1000) : undefined
}

/** Returns the end of a day in the user's time zone, in ms since 1970. NaN if the text is not a day. */
function endOfDay(day: string): number {
  const [, year, month, date] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(day) ?? []
  return new Date(Number(year), Number(month) - 1, Number(date) + 1).getTime()
}

function dayText(at: Date): string {
  const two = (value: number) => String(value).padStart(2, '0')
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
}

function endText(value: string): string | undefined {
  const seconds = lifetimeSeconds(value)
  if (seconds === null) return 'The token is valid until a person revokes it.'
  if (seconds === undefined || Number.isNaN(seconds)) return undefined
  const end = new Date(Date.now() + (seconds - 1) * 1000)
  return `The token is valid until ${end.toLocaleDateString(undefined, { dateStyle: 'long' })}.`
}
