import { fitsPackets, type SessionRequest } from '../../sessions/session-request.ts'
import { HttpError } from '../http-error.ts'

/** @throws HttpError 422 */
export function checkPacketSize(
  request: Pick<SessionRequest, 'connection' | 'envVars' | 'clientArgs' | 'script'>,
): void {
  if (fitsPackets(request)) return
  throw new HttpError(
    422,
    'script, env_vars or client_args are too large: what goes to the agent in one packet may have 17 MiB',
  )
}
