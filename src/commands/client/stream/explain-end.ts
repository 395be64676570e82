import { nearest } from '../../../basics/text/nearest.ts'
import { oneLine } from '../../../basics/text/one-line.ts'
import type { Account } from '../../../client/account/account.ts'
import { connectionNamesIfKnown } from '../../../client/rest/connections.ts'
import type { StreamEnd } from '../../../client/running/session-end.ts'
import { reportEnd, type EndReport, type SessionSubject } from './end-report.ts'

/** Somebody waits for the error itself. */
const PATIENCE_MS = 3000

/** The report of an end at a gateway; of an unknown connection with the one that was probably meant. */
export async function explainEnd(
  end: StreamEnd,
  subject: SessionSubject,
  account: Account,
): Promise<EndReport> {
  const report = reportEnd(end, subject)
  if (end.kind !== 'not-found') return report
  const names = await connectionNamesIfKnown(account, AbortSignal.timeout(PATIENCE_MS))
  const meant = nearest(subject.connection, names)
  return meant === undefined ? report : { ...report, hint: oneLine(`Did you mean ${meant}?`) }
}
