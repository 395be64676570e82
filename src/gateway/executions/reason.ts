import { refused } from '../refusals/request-refused.ts'
import type { SessionRequest } from '../sessions/session-request.ts'
import type { ReasonSetting } from '../settings/reviews.ts'
import type { ConnectionSettings } from '../settings/settings.ts'

/**
 * The first rule for runbooks that matches decides, if it says something about reasons; otherwise the connection.
 * @param file path of a runbook; undefined for scripts, terminals and ports
 */
export function reasonSetting(
  { runbooks, reason }: Pick<ConnectionSettings, 'runbooks' | 'reason'>,
  file?: string,
): ReasonSetting | undefined {
  const rule = file === undefined ? undefined : runbooks?.reviews?.find(({ path }) => path.isFor(file))
  return rule?.reason ?? reason
}

/** Call this before anything has an effect: before the Jira issue, the session and the review. @throws RequestRefused */
export function checkReason(
  { connection, reason = '' }: Pick<SessionRequest, 'connection' | 'reason'>,
  file?: string,
): void {
  if (reason !== '' || reasonSetting(connection, file) !== 'required') return
  throw refused('reason-missing', { name: connection.name })
}
