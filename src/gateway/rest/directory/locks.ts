import type { FastifyInstance } from 'fastify'
import { isOn } from '../../automation/locks/lock-rules.ts'
import type { LockSession } from '../../automation/locks/locks.ts'
import type { LockSettings } from '../../settings/locks.ts'
import type { GatewayUser } from '../../people/identities/identity.ts'
import type { RestServices } from '../services.ts'

/** Who has which lock, and who waits for it. */
export function lockRoutes(app: FastifyInstance, services: RestServices): void {
  app.get('/api/locks', ({ user }) => visibleLocks(services, user).map((lock) => describe(services, lock)))
}

/** Those that the user's own runbooks may meet; admins and auditors see all. */
function visibleLocks({ users, settings }: RestServices, user: GatewayUser): readonly LockSettings[] {
  const connections = users.connections(user)
  const isVisible = (lock: LockSettings) => connections.some(({ name }) => isOn(lock, name))
  return settings.value.locks.filter((lock) => users.seesAll(user) || isVisible(lock))
}

function describe({ locks }: RestServices, { name, runbooks, connections }: LockSettings): object {
  const holder = locks.holder(name)
  return {
    ...{ name, runbooks: runbooks.map(({ text }) => text), connections: connections ?? null },
    holder: holder === undefined ? null : lockSession(holder),
    waiting: locks.waiting(name).map(lockSession),
  }
}

function lockSession({ sid, user, since }: LockSession): object {
  return { session_id: sid, user, since: new Date(since).toISOString() }
}
