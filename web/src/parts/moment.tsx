import { useEffect } from 'preact/hooks'
import { signal, useComputed } from '@preact/signals'
import { durationText } from './duration-text.ts'

export { durationText }

export const now = signal(Date.now())
let watching = 0
let ticking: ReturnType<typeof setInterval> | undefined

const SHORT = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' })

/** Shows a time in the user's time zone. `title` has the time in UTC. */
export function Moment({ at }: { readonly at: string }) {
  const time = new Date(at)
  if (Number.isNaN(time.getTime())) return <span>{at}</span>
  return (
    <time dateTime={at} title={`${time.toISOString().replace('T', ' ').slice(0, 19)} UTC`}>
      {SHORT.format(time)}
    </time>
  )
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
    <time dateTime={until} title={SHORT.format(new Date(until))}>
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

export function useTicks(needed: boolean): void {
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
