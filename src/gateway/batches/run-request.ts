import { RequestRefused } from '../refusals/request-refused.ts'
import { reviewRule } from '../reviews/rules.ts'
import type { StoredSessionRequest } from '../reviews/stored-request.ts'
import { fitsPackets, type SessionRequest } from '../sessions/session-request.ts'
import type { ConnectionSettings } from '../settings/settings.ts'
import type { Users } from '../people/identities/users.ts'
import { hoopWords } from '../../wire/gateway-words.ts'
import type { Batch } from './batch.ts'

export type BatchRequest = Omit<StoredSessionRequest, 'batchConnections'>

/**
 * Makes the request for one connection of a batch. Checks the connection again, because its settings may have
 * changed after the batch was requested.
 * @throws RequestRefused if the check fails
 */
export function runRequest(
  users: Users,
  { owner, file, review }: Batch,
  { request, connection: name }: { readonly request: BatchRequest; readonly connection: string },
): SessionRequest {
  const user = users.named(owner)
  const connection = user && users.connection(user, name)
  if (connection === undefined)
    throw new RequestRefused(
      'connection-not-found',
      `connection not found, or ${owner} has no access to the connection`,
    )
  checkUse(connection, request)
  const own = { ...request, connection }
  if (review === undefined && reviewRule(own, user?.groups ?? [], file) !== undefined)
    throw new RequestRefused('not-permitted', 'the connection now needs an approval; request the batch again')
  if (fitsPackets(own)) return own
  throw new RequestRefused(
    'too-large',
    'script, arguments and variables of the connection are too large: one packet to the agent may have at most 17 MiB',
  )
}

/** @throws RequestRefused */
export function checkUse(
  { access }: ConnectionSettings,
  { bringsInput }: Pick<SessionRequest, 'bringsInput'>,
): void {
  if (!access.runbooks) throw new RequestRefused('not-permitted', hoopWords.disabled('runbooks'))
  if (bringsInput === true && !access.clientInput)
    throw new RequestRefused(
      'client-input-refused',
      'the connection accepts neither client_args nor env_vars (access.client-input)',
    )
}
