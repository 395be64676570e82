import { nearest } from '../../basics/nearest.ts'
import { oneLine } from '../../basics/one-line.ts'
import type { Account } from '../../client/account.ts'
import { ApiError } from '../../client/api-error.ts'
import { fetchConnectionNames } from '../../client/connections.ts'
import type { SessionEnd } from '../../client/session-end.ts'
import { reportEnd, type EndReport, type SessionSubject } from './end-report.ts'

/** Somebody waits for the error itself. */
const PATIENCE_MS = 3000

/** The report of an end at a gateway; of an unknown connection with the one that was probably meant. */
export async function explainEnd(
  end: SessionEnd,
  subject: SessionSubject,
  account: Account,
): Promise<EndReport> {
  const report = reportEnd(end, subject)
  const meant = end.kind === 'not-found' ? await meantConnection(subject.connection, account) : undefined
  return meant === undefined ? report : { ...report, hint: oneLine(`Did you mean ${meant}?`) }
}

async function meantConnection(name: string, account: Account): Promise<string | undefined> {
  try {
    return nearest(name, await fetchConnectionNames(account, AbortSignal.timeout(PATIENCE_MS)))
  } catch (error) {
    // The gateway's word stands without it.
    if (error instanceof ApiError) return undefined
    throw error
  }
}
