import { useCallback } from 'preact/hooks'
import type { DaysAnswer } from '../../../../src/contract/sessions.ts'
import { ask } from '../../api/request.ts'
import { useLoaded } from '../../parts/loaded.ts'

const DAYS = 30
/** Width of a bar with its gap, and height of the highest bar, in units of the drawing. */
const [STEP, HEIGHT] = [10, 44]

/** The outcomes in the order of the bars from bottom to top. Each has the class for its colour. */
const OUTCOMES = [
  ['succeeded', 'is-good'],
  ['open', 'is-live'],
  ['stopped', 'soft'],
  ['rejected', 'is-wait'],
  ['failed', 'is-bad'],
] as const

/** Chart of runs by day and outcome. `asked` is the list's query to the gateway. */
export function RunsByDay({ asked }: { readonly asked: string }) {
  const load = useCallback(
    (signal: AbortSignal) => {
      const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
      const options = new URLSearchParams(asked)
      for (const name of ['start_date', 'end_date', 'parameter']) options.delete(name)
      options.set('days', String(DAYS))
      options.set('time_zone', zone)
      return ask<DaysAnswer>('GET', `/api/sessions/by-day?${options.toString()}`, { signal })
    },
    [asked],
  )
  const { value } = useLoaded(load, ['sessions'])
  const days = value?.days ?? []
  const most = Math.max(...days.map(totalOf))
  // Shows no chart when there is no data, for example after an error. The list itself shows the error.
  if (days.length === 0 || most === 0) return null
  return (
    <figure class="days">
      <svg
        viewBox={`0 0 ${days.length * STEP} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`Runs of the last ${days.length} days: ${summaryOf(days)}`}
      >
        {days.map((day, index) => (
          <Bar key={day.day} day={day} left={index * STEP} scale={HEIGHT / most} />
        ))}
      </svg>
      <figcaption class="soft small">
        {summaryOf(days)} in the last {days.length} days
      </figcaption>
    </figure>
  )
}

type Day = DaysAnswer['days'][number]

function Bar({ day, left, scale }: { readonly day: Day; readonly left: number; readonly scale: number }) {
  let top = HEIGHT
  return (
    <g>
      <title>{`${day.day}: ${summaryOf([day])}`}</title>
      {OUTCOMES.map(([outcome, tone]) => {
        const height = day[outcome] * scale
        top -= height
        return (
          height > 0 && <rect key={outcome} class={tone} x={left} y={top} width={STEP - 2} height={height} />
        )
      })}
    </g>
  )
}

function totalOf(day: Day): number {
  return OUTCOMES.reduce((sum, [outcome]) => sum + day[outcome], 0)
}

function summaryOf(days: readonly Day[]): string {
  const counts = OUTCOMES.map(
    ([outcome]) => [outcome, days.reduce((sum, day) => sum + day[outcome], 0)] as const,
  )
  return counts
    .filter(([outcome, count]) => count > 0 || outcome === 'succeeded')
    .map(([outcome, count]) => `${count} ${outcome}`)
    .join(', ')
}
