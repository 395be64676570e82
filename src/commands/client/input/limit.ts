import { exitCodes, Failure } from '../../failure.ts'

/** Of one list. */
const LARGEST_LIMIT = 10_000

/** The value of `--limit`. @throws Failure */
export function readLimit(written: string): number {
  if (/^[1-9]\d{0,4}$/.test(written) && Number(written) <= LARGEST_LIMIT) return Number(written)
  throw new Failure(`--limit is a number from 1 to ${LARGEST_LIMIT}`, exitCodes.usage)
}
