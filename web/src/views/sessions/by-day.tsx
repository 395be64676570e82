import { useCallback } from 'preact/hooks'
import type { DaysAnswer } from '../../../../src/contract/sessions.ts'
import { ask } from '../../api/request.ts'
import { useLoaded } from '../../parts/loaded.ts'
import { addressWith, query } from '../../parts/router.ts'
import { State, type StateKind } from '../../parts/state.tsx'

/** In a narrow window, 14 days would be too narrow for a finger. */
const [DAYS, NARROW_DAYS] = [14, 10]
const NARROW = matchMedia('(max-width: 30rem)')
/** Width of a day, of its bar, and height of the drawing, in units of the drawing. */
const [DAY_WIDTH, BAR_WIDTH, HEIGHT] = [80, 60, 100]
const DATE = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeZone: 'UTC' })
const SHORT = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', timeZone: 'UTC' })

/** The outcomes in the order of the bars from bottom to top. Each has the class for its colour. */
const OUTCOMES = [
  ['succeeded', 'is-good'],
  ['open', 'is-live'],
  ['stopped', 'is-idle'],
  ['rejected', 'is-no'],
  ['failed', 'is-bad'],
] as const
type Outcome = (typeof OUTCOMES)[number][0]

const KINDS: Readonly<Record<Outcome, StateKind>> = {
  succeeded: 'succeeded',
  open: 'running',
  stopped: 'stopped',
  rejected: 'rejected',
  failed: 'failed',
}

/** Chart of sessions by day and outcome. A day and an outcome filter the list. `asked` is the list's query. */
export function RunsByDay({ asked }: { readonly asked: string }) {
  const options = new URLSearchParams(asked)
  const searchesText = options.has('text') || options.has('parameter')
  for (const name of ['start_date', 'end_date', 'parameter', 'text']) options.delete(name)
  options.set('days', String(NARROW.matches ? NARROW_DAYS : DAYS))
  const filters = options.toString()
  const load = useCallback(
    (signal: AbortSignal) => {
      const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
      const all = new URLSearchParams(filters)
      all.set('time_zone', zone)
      return ask<DaysAnswer>('GET', `/api/sessions/by-day?${all.toString()}`, { signal })
    },
    [filters],
  )
  const { value } = useLoaded(load, ['sessions'])
  const days = value?.days ?? []
  const most = Math.max(...days.map(totalOf))
  // Shows no chart when there is no data, for example after an error. The list itself shows the error.
  if (days.length === 0 || most === 0) return null
  return (
    <section class="card days-card" aria-label={`The last ${days.length} days`}>
      <ul class="line small" aria-label="Outcomes">
        {OUTCOMES.map(([outcome]) => {
          const count = days.reduce((sum, day) => sum + day[outcome], 0)
          if (count === 0 && outcome !== 'succeeded') return null
          return (
            <li key={outcome}>
              <a href={addressWith({ status: outcome })}>
                <State kind={KINDS[outcome]}>
                  {count.toLocaleString()} {outcome}
                </State>
              </a>
            </li>
          )
        })}
        {searchesText && <li class="soft">without the search for a text</li>}
      </ul>
      <Chart days={days} top={topOf(most)} />
    </section>
  )
}

type Day = DaysAnswer['days'][number]

function Chart({ days, top }: { readonly days: readonly Day[]; readonly top: number }) {
  const [from, to] = [query.value.get('from'), query.value.get('to')]
  return (
    <figure class="days">
      <div class="days-y" aria-hidden="true">
        {[top, top / 2, 0].map((count) => (
          <span key={count}>{count.toLocaleString()}</span>
        ))}
      </div>
      <div class="days-plot">
        <svg
          viewBox={`0 0 ${days.length * DAY_WIDTH} ${HEIGHT}`}
          preserveAspectRatio="none"
          aria-hidden="true"
        >
          <path
            class="grid"
            d={[0.5, HEIGHT / 2, HEIGHT - 0.5].map((y) => `M0 ${y}h${days.length * DAY_WIDTH}`).join('')}
          />
          {days.map((day, index) => (
            <Bar key={day.day} day={day} left={index * DAY_WIDTH} scale={HEIGHT / top} />
          ))}
        </svg>
        <ol>
          {days.map((day) => {
            const isChosen = from === day.day && to === day.day
            const at = new Date(`${day.day}T00:00:00Z`)
            return (
              <li key={day.day}>
                <a
                  href={addressWith(isChosen ? { from: '', to: '' } : { from: day.day, to: day.day })}
                  aria-current={isChosen ? 'date' : undefined}
                  title={`${DATE.format(at)}: ${summaryOf(day)}`}
                >
                  {SHORT.formatToParts(at).map(({ type, value }) => (
                    <span key={type} class={type === 'day' ? undefined : 'days-month'}>
                      {value}
                    </span>
                  ))}
                  <span class="said-only">: {summaryOf(day)}</span>
                </a>
              </li>
            )
          })}
        </ol>
      </div>
    </figure>
  )
}

function Bar({ day, left, scale }: { readonly day: Day; readonly left: number; readonly scale: number }) {
  let top = HEIGHT
  return (
    <g>
      {OUTCOMES.map(([outcome, tone]) => {
        const height = day[outcome] * scale
        top -= height
        return (
          height > 0 && (
            <rect
              key={outcome}
              class={tone}
              x={left + (DAY_WIDTH - BAR_WIDTH) / 2}
              y={top}
              width={BAR_WIDTH}
              height={height}
            />
          )
        )
      })}
    </g>
  )
}

/** The number at the top of the axis: 2, 4, 6, 8, 10, 20, 40 and so on, so that its half is a whole number. */
function topOf(most: number): number {
  for (let ten = 1; ; ten *= 10)
    for (const step of [2, 4, 6, 8, 10]) if (step * ten >= most) return step * ten
}

function totalOf(day: Day): number {
  return OUTCOMES.reduce((sum, [outcome]) => sum + day[outcome], 0)
}

function summaryOf(day: Day): string {
  const counts = OUTCOMES.filter(([outcome]) => day[outcome] > 0 || outcome === 'succeeded')
  return counts.map(([outcome]) => `${day[outcome]} ${outcome}`).join(', ')
}
