import type { UserDirectory } from '../../../people/identities/directory.ts'
import type { Budget, GatewayUser, StoredUser } from '../../../identity.ts'
import type { Users } from '../../../people/identities/users.ts'
import { timeOf } from './token-view.ts'

interface Viewing {
  readonly users: Users
  readonly directory: UserDirectory
}

/** hoop's object and more of ours behind it. Users have only names here, so the name fills hoop's other fields as well. */
export function userView({ users, directory }: Viewing, user: GatewayUser): object {
  const { name, kind, groups, isActive, isDeclared, budget } = user
  const { createdAt, createdBy } = user as Partial<StoredUser>
  return {
    ...{ id: name, name, email: name, status: isActive ? 'active' : 'inactive', verified: true },
    role: users.isAdmin(user) ? 'admin' : 'standard',
    ...{ slack_id: '', picture: '', groups, kind, declared: isDeclared },
    budget: budgetView(budget),
    created_at: timeOf(createdAt),
    created_by: createdBy ?? null,
    ...(directory.isShadowing(name) && {
      warning: 'the state has a user of this name, too: gateway.yaml counts',
    }),
  }
}

/** In the units of gateway.yaml; `per` in seconds. */
function budgetView(budget: Budget | undefined): object | null {
  if (budget === undefined) return null
  const { runs, bytes, runningMs, perMs } = budget
  return {
    ...{ runs, bytes: bytes ?? null, per: perMs / 1000 },
    hours: runningMs === undefined ? null : runningMs / HOUR_MS,
  }
}

const HOUR_MS = 60 * 60 * 1000
