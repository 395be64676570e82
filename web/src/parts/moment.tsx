import type { ComponentChildren } from 'preact'
import { useEffect } from 'preact/hooks'
import { signal, useComputed } from '@preact/signals'
import { durationText } from './duration-text.ts'

export { durationText }

const now = signal(Date.now())
let watching = 0
let ticking: ReturnType<typeof setInterval> | undefined

const EXACT = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' })
export const CLOCK = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
})
const TIME = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' })
const DAY_AND_TIME = new Intl.DateTimeFormat(undefined, {
  ...{ weekday: 'short', day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' },
})
const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' })
const DAY_AND_CLOCK = new Intl.DateTimeFormat(undefined, {
  ...{ day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', second: '2-digit' },
})
const WHOLE = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' })

/** Shows a time as people say it: `4 min ago` up to two hours, then the time of day, then the day. */
export function Moment({ at }: { readonly at: string }) {
  useTicks(true)
  const time = new Date(at)
  // Only a new text is drawn: a list may have hundreds of times.
  const text = useComputed(() => momentText(time, new Date(now.value)))
  return <Time at={at}>{text}</Time>
}

/** Shows a time to the second, in the user's time zone, where the order of events or the exact time matters. */
export function ExactMoment({ at }: { readonly at: string }) {
  return <Time at={at}>{EXACT.format(new Date(at))}</Time>
}

/** Shows a time to the second, without the day if it is today, and without the year if it is this year. */
export function ClockMoment({ at }: { readonly at: string }) {
  return <Time at={at}>{clockText(new Date(at), new Date())}</Time>
}

function clockText(time: Date, present: Date): string {
  if (Number.isNaN(time.getTime())) return ''
  if (time.toDateString() === present.toDateString()) return CLOCK.format(time)
  return (time.getFullYear() === present.getFullYear() ? DAY_AND_CLOCK : EXACT).format(time)
}

/** Shows the time of day to the second, where the day stands elsewhere. */
export function TimeOfDay({ at }: { readonly at: string }) {
  return <Time at={at}>{CLOCK.format(new Date(at))}</Time>
}

/** `title` has the whole time in the user's zone and in UTC. */
function Time({ at, children }: { readonly at: string; readonly children: ComponentChildren }) {
  const time = new Date(at)
  if (Number.isNaN(time.getTime())) return <span>{at}</span>
  const utc = `${time.toISOString().replace('T', ' ').slice(0, 19)} UTC`
  return (
    <time dateTime={at} title={`${WHOLE.format(time)} (${utc})`}>
      {children}
    </time>
  )
}

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS

/** Returns `just now`, `4 min ago`, `in 4 min`, `14:20`, `Mon, 30 Nov, 14:20` or `30 Nov 2026`. */
export function momentText(time: Date, present: Date): string {
  if (Number.isNaN(time.getTime())) return ''
  const ms = present.getTime() - time.getTime()
  if (Math.abs(ms) < MINUTE_MS) return ms < 0 ? 'in less than a minute' : 'just now'
  if (Math.abs(ms) < 120 * MINUTE_MS) {
    const minutes = Math.floor(Math.abs(ms) / MINUTE_MS)
    return ms < 0 ? `in ${minutes} min` : `${minutes} min ago`
  }
  if (time.toDateString() === present.toDateString()) return TIME.format(time)
  return Math.abs(ms) < 60 * DAY_MS ? DAY_AND_TIME.format(time) : DAY.format(time)
}

/** Returns how long ago a time is, in days from two days on. */
export function daysAgoText(time: Date, present: Date): string {
  const days = Math.floor((present.getTime() - time.getTime()) / DAY_MS)
  return days < 2 ? momentText(time, present) : `${days} days ago`
}

/** Shows the duration from `from` to `to`, or to the present time. */
export function Elapsed({ from, to }: { readonly from: string; readonly to: string | null }) {
  useTicks(to === null)
  const end = to === null ? now.value : Date.parse(to)
  return <span>{durationText(end - Date.parse(from))}</span>
}

/** Shows the time until `until`, such as `6 h left`. */
export function TimeLeft({ until }: { readonly until: string }) {
  useTicks(true)
  const at = Date.parse(until)
  // Only a new text is drawn: a list may have hundreds of times.
  const text = useComputed(() => leftText(at - now.value))
  return (
    <time dateTime={until} title={WHOLE.format(new Date(until))}>
      {text}
    </time>
  )
}

function leftText(ms: number): string {
  return ms <= 0 ? 'ends now' : `${roughly(ms)} left`
}

/** Returns the duration in days, hours, minutes or seconds. */
function roughly(ms: number): string {
  if (ms <= 60_000) return `${Math.ceil(ms / 1000)} s`
  const minutes = Math.ceil(ms / 60_000)
  if (minutes < 120) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} days`
}

function useTicks(needed: boolean): void {
  useEffect(() => {
    if (!needed) return undefined
    now.value = Date.now()
    if (watching++ === 0) ticking = setInterval(() => (now.value = Date.now()), 1000)
    return () => {
      if (--watching === 0) clearInterval(ticking)
    }
  }, [needed])
}

export function bytesText(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`
  if (bytes < 1024 * 1024) return `${(bytes / 1024).toFixed(1)} KiB`
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`
}
