import type { BatchBody } from '../../contract/batches.ts'
import type { GatewayUser } from '../identity.ts'
import type { ConnectionSettings } from '../settings/settings.ts'
import { hasTags, TAG_KEY, TAG_VALUE } from '../settings/connections.ts'
import type { Users } from '../people/identities/users.ts'
import { RequestRefused } from '../refusals/request-refused.ts'
import { connectionRefusal, ConnectionsRefused } from './batch-refused.ts'

/**
 * Selects connections by name, in the order of the names, or by tags. With both, each named connection must
 * have the tags: a caller who names connections never gets others.
 * @throws RequestRefused
 */
export function selectConnections(
  users: Users,
  user: GatewayUser,
  { connections: asked, tags }: Pick<BatchBody, 'connections' | 'tags'>,
): readonly ConnectionSettings[] {
  const selector = selectorOf(tags)
  const names = [...new Set(asked)]
  if (names.length === 0 && selector.length === 0)
    throw new RequestRefused('invalid-request', 'connections: is required unless tags is given')
  const found = names.length === 0 ? users.connections(user).filter((one) => hasTags(one.tags, selector)) : []
  if (names.length === 0 && found.length === 0)
    throw new RequestRefused('connection-not-found', 'no connection that you may use has these tags')
  if (names.length === 0) return found
  const refusals = names.flatMap((name) =>
    connectionRefusal(name, () => {
      const one = users.visibleConnection(user, name)
      if (!hasTags(one.tags, selector))
        throw new RequestRefused('invalid-request', 'the connection does not have these tags')
    }),
  )
  if (refusals.length > 0) throw new ConnectionsRefused(refusals, names.length)
  return names.map((name) => users.visibleConnection(user, name))
}

function selectorOf(tags: BatchBody['tags']) {
  return Object.entries(tags).map(([key, value]) => {
    if (!TAG_KEY.test(key) || !TAG_VALUE.test(value))
      throw new RequestRefused(
        'invalid-request',
        'tags: must be an object of keys and values, like {"env": "prod"}',
      )
    return { key, value, isExcluded: false }
  })
}
