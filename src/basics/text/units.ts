const MILLISECONDS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}
const BYTES: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 }

/** A duration in milliseconds must also be a safe integer (`parseDuration` checks this). */
export const DURATION = /^(\d{1,9})(ms|s|m|h|d)$/
/** A size in bytes must also be a safe integer (`parseSize` checks this). */
export const SIZE = /^(?:0|(\d{1,9})(B|KiB|MiB|GiB))$/

/** Parses `500ms`, `10s`, `5m`, `1h`, `30d` to milliseconds. */
export function parseDuration(text: string): number | undefined {
  return parseQuantity(text, DURATION, MILLISECONDS)
}

/** Parses `0`, `100B`, `512KiB`, `10MiB`, `1GiB` to bytes. */
export function parseSize(text: string): number | undefined {
  return text === '0' ? 0 : parseQuantity(text, SIZE, BYTES)
}

function parseQuantity(
  text: string,
  pattern: RegExp,
  units: Readonly<Record<string, number>>,
): number | undefined {
  const [, count, unit = ''] = pattern.exec(text) ?? []
  const quantity = Number(count) * (units[unit] ?? NaN)
  return Number.isSafeInteger(quantity) ? quantity : undefined
}

/** Returns at most 2^53 - 1: a larger number is not exact in JSON, and SQLite would make it a fraction. */
export function sumOfCounts(...counts: readonly number[]): number {
  return counts.reduce((sum, count) => Math.min(sum + count, Number.MAX_SAFE_INTEGER), 0)
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB']

/** Formats bytes with about three digits: `1.5 MiB`, `700 MiB`. */
export function sizeText(bytes: number): string {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10))
  const count = bytes / 1024 ** power
  return `${power > 0 && count < 10 ? count.toFixed(1) : Math.round(count)} ${UNITS[power] ?? ''}`
}

/** Formats a duration in its two largest units: `3d 4h`. */
export function durationText(seconds: number): string {
  const whole = Math.floor(seconds)
  const parts: [number, string][] = [
    [Math.floor(whole / 86_400), 'd'],
    [Math.floor(whole / 3600) % 24, 'h'],
    [Math.floor(whole / 60) % 60, 'm'],
    [whole % 60, 's'],
  ]
  const first = parts.findIndex(([count]) => count > 0)
  const shown = first < 0 ? parts.slice(-1) : parts.slice(first, first + 2)
  return shown.map(([count, unit]) => `${count}${unit}`).join(' ')
}
