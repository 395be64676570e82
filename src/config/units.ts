const MILLISECONDS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}
const BYTES: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 }

/** 24.8 days. A timer of Node's that is set for longer fires at once: a drain of 30d would kill everything. */
const LONGEST_MS = 2 ** 31 - 1

/** `500ms`, `10s`, `5m`, `1h`, `1d` in milliseconds; undefined for anything else and for more than 24 days. */
export function parseDuration(text: string): number | undefined {
  const milliseconds = parseQuantity(text, /^(\d{1,9})(ms|s|m|h|d)$/, MILLISECONDS)
  return milliseconds !== undefined && milliseconds <= LONGEST_MS ? milliseconds : undefined
}

/** `0`, `100B`, `512KiB`, `10MiB`, `1GiB` in bytes; undefined for anything else. */
export function parseSize(text: string): number | undefined {
  if (text === '0') return 0
  const bytes = parseQuantity(text, /^(\d{1,9})(B|KiB|MiB|GiB)$/, BYTES)
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

function parseQuantity(
  text: string,
  pattern: RegExp,
  units: Readonly<Record<string, number>>,
): number | undefined {
  const [, count, unit = ''] = pattern.exec(text) ?? []
  return count === undefined ? undefined : Number(count) * (units[unit] ?? NaN)
}
