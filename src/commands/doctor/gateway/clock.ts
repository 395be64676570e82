import type { Finding } from '../finding.ts'
import { ok, skipped, warning } from '../finding.ts'
import type { Http2Answer } from './http2.ts'

/** Enough to make certificates and tokens that were just made invalid. */
const MUCH_MS = 30_000

/** This machine's clock against the one behind the gateway's `date` header, which has whole seconds. */
export function checkClock({ date, receivedAt }: Pick<Http2Answer, 'date' | 'receivedAt'>): Finding {
  const theirs = Date.parse(date ?? '')
  if (Number.isNaN(theirs)) return skipped('the gateway does not tell its time (no date header)')
  const offMs = receivedAt - (theirs + 500)
  const seconds = Math.round(Math.abs(offMs) / 1000)
  if (Math.abs(offMs) <= MUCH_MS) return ok(`${seconds} s from the gateway's`)
  return warning(
    `${seconds} s ${offMs > 0 ? 'ahead of' : 'behind'} the gateway's`,
    'Certificates and tokens are judged by it: set up time synchronisation on the one that is wrong',
  )
}
