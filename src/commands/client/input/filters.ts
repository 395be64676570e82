import { exitCodes, Failure } from '../../failure.ts'
import { parseDuration } from '../../../basics/text/units.ts'

/** Most rows of one list. */
const LARGEST_LIMIT = 10_000

/** The value of `--limit`. @throws Failure */
export function readLimit(written: string): number {
  if (/^[1-9]\d{0,4}$/.test(written) && Number(written) <= LARGEST_LIMIT) return Number(written)
  throw new Failure(`--limit is a number from 1 to ${LARGEST_LIMIT}`, exitCodes.usage)
}

export interface SpanFlags {
  readonly since?: string
  readonly until?: string
}

interface Span {
  readonly from: Date | undefined
  readonly to: Date | undefined
}

/** @throws Failure, exit code 64 */
export function askedSpan({ since, until }: SpanFlags): Span {
  const from = since === undefined ? undefined : askedMoment(since, '--since')
  const to = until === undefined ? undefined : askedMoment(until, '--until')
  if (from === undefined || to === undefined || from <= to) return { from, to }
  throw new Failure('--since is later than --until: no session can be between them', exitCodes.usage)
}

const MOMENT = /^(\d{4}-\d\d-(\d\d))(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)?)?$/

/**
 * Reads a duration back from now, a day, or a time; without a zone it is in this machine's.
 * @throws Failure, exit code 64
 */
export function askedMoment(text: string, flag: string, now = Date.now()): Date {
  const ago = parseDuration(text)
  const ms = ago === undefined ? parseMoment(text) : now - ago
  if (ms >= 0) return new Date(ms)
  throw new Failure(
    `${flag} is a time such as 2h, 7d, 2026-01-31, 2026-01-31T14:30 or 2026-01-31T14:30:00Z`,
    exitCodes.usage,
  )
}

/** Milliseconds; NaN for anything else. */
function parseMoment(text: string): number {
  const [, day, ofMonth] = MOMENT.exec(text) ?? []
  // JavaScript would take the 30th of February for the 2nd of March.
  if (day === undefined || new Date(`${day}T00:00:00Z`).getUTCDate() !== Number(ofMonth)) return NaN
  return Date.parse(text === day ? `${day}T00:00:00` : text.replace(' ', 'T'))
}
