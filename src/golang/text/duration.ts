const MILLISECONDS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
}
// The letters are escaped, because esbuild copies regular expressions as they are: one letter beyond Latin-1
// doubles the memory of a pack.
const DURATION = /^[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|[u\u00B5\u03BC]s|ms|s|m|h))+$/
const PART = /(\d+\.?\d*|\.\d+)(ns|[u\u00B5\u03BC]s|ms|s|m|h)/g

/** Reads `1h30m`, `1.5s` or `-2ms` like Go's time.ParseDuration. Returns ms, or undefined where Go fails. */
export function parseGoDuration(text: string): number | undefined {
  if (/^[-+]?0$/.test(text)) return 0
  if (!DURATION.test(text)) return undefined
  const parts = [...text.matchAll(PART)]
  const sum = parts.reduce(
    (total, [, count, unit = '']) => total + Number(count) * (MILLISECONDS[unit] ?? NaN),
    0,
  )
  return text.startsWith('-') ? -sum : sum
}

/** Formats a duration of at least one second as Go does: `5s`, `1.5s`, `1m30s`, `2h0m0s`. */
export function formatGoDuration(ms: number): string {
  const hours = Math.floor(ms / 3_600_000)
  const minutes = Math.floor((ms % 3_600_000) / 60_000)
  const seconds = `${(ms % 60_000) / 1000}s`
  if (hours > 0) return `${hours}h${minutes}m${seconds}`
  return minutes > 0 ? `${minutes}m${seconds}` : seconds
}
