import { refused } from '../refusals/request-refused.ts'
import { reviewRule } from '../reviews/rules.ts'
import type { StoredSessionRequest } from '../reviews/stored-request.ts'
import { fitsPackets, type SessionRequest } from '../sessions/session-request.ts'
import type { ConnectionSettings } from '../settings/settings.ts'
import type { Users } from '../people/identities/users.ts'
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
  if (connection === undefined) throw refused('connection-not-found/batch', { owner })
  checkUse(connection, request)
  const own = { ...request, connection }
  if (review === undefined && reviewRule(own, user?.groups ?? [], file) !== undefined)
    throw refused('not-permitted/approval-now-needed')
  if (fitsPackets(own)) return own
  throw refused('too-large/script-of-batch')
}

/** @throws RequestRefused */
export function checkUse(
  { access }: ConnectionSettings,
  { bringsInput }: Pick<SessionRequest, 'bringsInput'>,
): void {
  if (!access.runbooks) throw refused('not-permitted/use', { use: 'runbooks' })
  if (bringsInput === true && !access.clientInput) throw refused('client-input-refused/batch')
}
