import { hoopWords } from '../../../wire/gateway-words.ts'
import type { SessionSummary } from '../../history/session.ts'
import type { GatewayUser } from '../../identity.ts'
import { HttpError } from '../http/http-error.ts'
import type { RestServices } from '../services.ts'
import type { SessionOfUser } from './session-view.ts'

type Finding = Pick<RestServices, 'history' | 'users' | 'reviews'>

/** One that the user may end. @throws HttpError 404 */
export function ownSession({ history, users }: Finding, user: GatewayUser, id: string): SessionSummary {
  const session = history.session(id)
  if (session === undefined || !users.owns(user, session)) throw notFound(hoopWords.sessionNotFound)
  return session
}

/** Reviewers see the session and its script, but no output. @throws HttpError 404 */
export function visibleSession(
  { history, users, reviews }: Finding,
  user: GatewayUser,
  id: string,
  missing: string = hoopWords.sessionNotFound,
): SessionOfUser {
  const session = history.session(id)
  if (session === undefined) throw notFound(missing)
  if (users.owns(user, session) || users.isAuditor(user)) return { session, withOutput: true }
  if (session.review === undefined || !reviews.isConcerned(user, session.review)) throw notFound(missing)
  return { session, withOutput: false }
}

/** One whose output the user may see. @throws HttpError 404, 403 for reviewers */
export function readableSession(
  services: Finding,
  user: GatewayUser,
  id: string,
  missing?: string,
): SessionSummary {
  const { session, withOutput } = visibleSession(services, user, id, missing)
  if (!withOutput) throw new HttpError('not-permitted', hoopWords.notToStream)
  return session
}

function notFound(text: string): HttpError {
  return new HttpError('session-not-found', text)
}
