import { lockContract, type LockAnswer, type LockSessionAnswer } from '../../contract/locks.ts'
import type { Handlers } from '../handlers.ts'
import type { GatewayUser } from '../identity.ts'
import type { Users } from '../people/identities/users.ts'
import type { CurrentSettings } from '../settings/settings.ts'
import { isOn, type LockSettings } from '../settings/locks.ts'
import type { Locks } from './locks.ts'
import type { LockSession } from '../sessions/session-state.ts'

interface LockRouting {
  readonly locks: Locks
  readonly users: Users
  readonly settings: CurrentSettings
}

export function lockRoutes(services: LockRouting): Handlers<typeof lockContract> {
  return { list: ({ user }) => visibleLocks(services, user).map((lock) => lockAnswer(services, lock)) }
}

/** Admins and auditors see all locks. Other users see the locks on their connections. */
function visibleLocks({ users, settings }: LockRouting, user: GatewayUser): readonly LockSettings[] {
  const connections = users.connections(user)
  const isVisible = (lock: LockSettings) => connections.some(({ name }) => isOn(lock, name))
  return settings.value.locks.filter((lock) => users.seesAll(user) || isVisible(lock))
}

function lockAnswer({ locks }: LockRouting, { name, runbooks, connections }: LockSettings): LockAnswer {
  const holder = locks.holder(name)
  return {
    name,
    runbooks: runbooks.map(({ text }) => text),
    connections: connections ?? null,
    holder: holder === undefined ? null : lockSession(holder),
    waiting: locks.waiting(name).map(lockSession),
  }
}

function lockSession({ sid, user, since }: LockSession): LockSessionAnswer {
  return { session_id: sid, user, since: new Date(since).toISOString() }
}
