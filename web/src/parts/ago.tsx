import { useComputed } from '@preact/signals'
import { now, useTicks } from './moment.tsx'

const TIME = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' })
const DAY_AND_TIME = new Intl.DateTimeFormat(undefined, {
  ...{ weekday: 'short', day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' },
})
const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' })
const WHOLE = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' })

/** Shows a time as people say it: `4 min ago` up to two hours, then the time of day, then the day. */
export function Ago({ at }: { readonly at: string }) {
  useTicks(true)
  const time = new Date(at)
  // Only a new text is drawn: a list may have hundreds of times.
  const text = useComputed(() => agoText(time, new Date(now.value)))
  if (Number.isNaN(time.getTime())) return <span>{at}</span>
  return (
    <time dateTime={at} title={WHOLE.format(time)}>
      {text}
    </time>
  )
}

const MINUTE = 60_000
const DAY_MS = 24 * 60 * MINUTE

/** Returns `just now`, `4 min ago`, `14:20`, `Mon, 30 Nov, 14:20` or `30 Nov 2026`. */
function agoText(time: Date, present: Date): string {
  const ms = present.getTime() - time.getTime()
  if (ms < MINUTE) return 'just now'
  if (ms < 120 * MINUTE) return `${Math.floor(ms / MINUTE)} min ago`
  if (time.toDateString() === present.toDateString()) return TIME.format(time)
  return ms < 60 * DAY_MS ? DAY_AND_TIME.format(time) : DAY.format(time)
}

/** Returns how long ago a time is, in days from two days on. */
export function daysAgoText(time: Date, present: Date): string {
  const days = Math.floor((present.getTime() - time.getTime()) / DAY_MS)
  return days < 2 ? agoText(time, present) : `${days} days ago`
}
