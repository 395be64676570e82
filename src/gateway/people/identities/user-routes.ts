import { userContract, type BudgetAsked, type UserAnswer } from '../../../contract/users.ts'
import type { Handlers } from '../../handlers.ts'
import { timeOf, type Budget, type GatewayUser, type StoredUser } from '../../identity.ts'
import { RequestRefused } from '../../refusals/request-refused.ts'
import type { UserDirectory } from './directory.ts'
import type { Users } from './users.ts'

interface UserRouting {
  readonly users: Users
  readonly directory: UserDirectory
}

const HOUR_MS = 60 * 60 * 1000

/** Who may ask this gateway, and in which groups they are. */
export function userRoutes(services: UserRouting): Handlers<typeof userContract> {
  const { directory } = services
  return {
    list: () => directory.list().map((user) => userAnswer(services, user)),
    show: ({ params }) => userAnswer(services, directory.get(params.name)),
    create: ({ user, body }) => {
      const { email: name, kind, groups, take_over: takesOver, budget, password } = body
      if (typeof password === 'string' && password !== '')
        throw new RequestRefused(
          'invalid-request',
          'password: there are none here, make a token: POST /api/tokens',
          422,
        )
      const asked = { name, kind, groups, takesOver, isActive: true, budget: budgetOf(budget) }
      return userAnswer(services, directory.create(asked, user.name))
    },
    change: ({ user, params, body: { status, groups, budget } }) => {
      const change = {
        isActive: status === undefined || status === null ? undefined : status === 'active',
        groups: groups ?? undefined,
        budget: budget === null ? null : budgetOf(budget),
      }
      return userAnswer(services, directory.change(params.name, change, user.name))
    },
    remove: ({ user, params }) => {
      directory.remove(params.name, user.name)
    },
    groups: () => directory.groups(),
    addGroup: ({ body: { name } }) => {
      directory.addGroup(name)
      return { name }
    },
    removeGroup: ({ params }) => {
      directory.removeGroup(params.name)
    },
  }
}

/** Users have only names here, so the name fills hoop's other fields as well. */
function userAnswer({ users, directory }: UserRouting, user: GatewayUser): UserAnswer {
  const { name, kind, groups, isActive, isDeclared, budget } = user
  const { createdAt, createdBy } = user as Partial<StoredUser>
  return {
    id: name,
    name,
    email: name,
    status: isActive ? 'active' : 'inactive',
    verified: true,
    role: users.isAdmin(user) ? 'admin' : 'standard',
    slack_id: '',
    picture: '',
    groups,
    kind,
    declared: isDeclared,
    budget: budgetAnswer(budget),
    created_at: timeOf(createdAt),
    created_by: createdBy ?? null,
    ...(directory.isShadowing(name) && {
      warning: 'the state has a user of this name, too: gateway.yaml counts',
    }),
  }
}

/** In the units of gateway.yaml; `per` in seconds. */
function budgetAnswer(budget: Budget | undefined): UserAnswer['budget'] {
  if (budget === undefined) return null
  const { runs, bytes = null, runningMs, perMs } = budget
  const hours = runningMs === undefined ? null : runningMs / HOUR_MS
  return { runs, bytes, per: perMs / 1000, hours }
}

function budgetOf(asked: BudgetAsked | null | undefined): Budget | undefined {
  if (asked === null || asked === undefined) return undefined
  const { runs, bytes, hours, per } = asked
  return {
    runs,
    perMs: per * 1000,
    ...(typeof bytes === 'number' && { bytes }),
    ...(typeof hours === 'number' && { runningMs: hours * HOUR_MS }),
  }
}
