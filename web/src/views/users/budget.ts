import type { Budget } from '../../api/types.ts'
import { bytesText } from '../../parts/moment.tsx'

export const SPANS = [
  ['3600', 'an hour'],
  ['86400', 'a day'],
  ['604800', '7 days'],
  ['2678400', '31 days'],
] as const

const UNITS = { '': 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 } as const

export function spanText(seconds: number): string {
  const known = SPANS.find(([span]) => Number(span) === seconds)?.[1]
  return known ?? `${Math.round(seconds / 360) / 10} hours`
}

/** Returns a text such as `100 runs, 1.0 GiB and 5 hours in a day`. */
export function budgetText({ runs, bytes, hours, per }: Budget): string {
  const parts = [
    `${runs} runs`,
    ...(bytes === null ? [] : [`${sizeText(bytes)} of output`]),
    ...(hours === null ? [] : [`${hours} hours of running`]),
  ]
  const last = parts.pop() ?? ''
  return `${parts.length === 0 ? last : `${parts.join(', ')} and ${last}`} in ${spanText(per)}`
}

export function sizeText(bytes: number): string {
  return bytes < 2 ** 30 ? bytesText(bytes) : `${(bytes / 2 ** 30).toFixed(1)} GiB`
}

/** Returns the size in the largest unit in which it is a whole number: `1GiB`, `1536MiB`. */
export function exactSize(bytes: number): string {
  const [unit, size] = Object.entries(UNITS).findLast(([, one]) => bytes % one === 0) ?? ['', 1]
  return `${bytes / size}${unit}`
}

/** Reads a size such as `1GiB`, `500 MiB` or `4096`. Returns undefined for any other text. */
export function sizeIn(text: string): number | undefined {
  const [, number = '', unit = ''] = /^\s*(\d{1,15})\s*([KMGT]iB)?\s*$/i.exec(text) ?? []
  if (number === '') return undefined
  const known = Object.entries(UNITS).find(([name]) => name.toLowerCase() === unit.toLowerCase())
  return Number(number) * (known?.[1] ?? 1)
}
