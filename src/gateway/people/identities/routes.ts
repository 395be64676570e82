import { ORGANIZATION } from '../../../contract/words.ts'
import {
  apiKeyContract,
  budgetContract,
  serviceAccountContract,
  type ApiKeyAnswer,
  type ServiceAccountAnswer,
} from '../../../contract/machines.ts'
import { tokenContract, type IssuedTokenAnswer, type TokenAnswer } from '../../../contract/tokens.ts'
import { userContract, type BudgetAsked, type UserAnswer } from '../../../contract/users.ts'
import { buildBudget } from '../../settings/users.ts'
import type { Handlers } from '../../handlers.ts'
import {
  timeOf,
  type Budget,
  type GatewayUser,
  type StoredUser,
  checkIsPerson,
  type AccessToken,
  type StoredToken,
} from '../../identity.ts'
import { refused, type RequestRefused } from '../../refusals/request-refused.ts'
import type { Budgets } from './budgets.ts'
import type { UserDirectory } from './directory.ts'
import type { IssuedToken, Tokens } from './tokens.ts'
import type { Users } from './users.ts'

interface UserRouting {
  readonly users: Users
  readonly directory: UserDirectory
}

const HOUR_MS = 60 * 60 * 1000

export function userRoutes(services: UserRouting): Handlers<typeof userContract> {
  const { directory } = services
  return {
    list: () => directory.list().map((user) => userAnswer(services, user)),
    show: ({ params }) => userAnswer(services, directory.get(params.name)),
    create: ({ user, body }) => {
      const { email: name, kind, groups, take_over: takesOver, budget, password } = body
      if (typeof password === 'string' && password !== '') throw refused('invalid-request/password')
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

/** Users have only names, so the name also fills the other fields that hoop has. */
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
      warning: 'the state also has a user of this name; the user of gateway.yaml applies',
    }),
  }
}

/** Uses the units of gateway.yaml, except that `per` is in seconds. */
function budgetAnswer(budget: Budget | undefined): UserAnswer['budget'] {
  if (budget === undefined) return null
  const { runs, bytes = null, runningMs, perMs } = budget
  const hours = runningMs === undefined ? null : runningMs / HOUR_MS
  return { runs, bytes, per: perMs / 1000, hours }
}

function budgetOf(asked: BudgetAsked | null | undefined): Budget | undefined {
  if (asked === null || asked === undefined) return undefined
  return buildBudget({ ...asked, per: asked.per * 1000 })
}

interface TokenRouting {
  readonly users: Users
  readonly tokens: Tokens
}

/** Users see their own tokens; admins and auditors see all tokens. Auditors change only their own tokens. */
export function tokenRoutes(services: TokenRouting): Handlers<typeof tokenContract> {
  const { users, tokens } = services
  return {
    list: ({ user, token: asking, query }) => {
      const seen = tokens.list(query.user).filter((token) => token.user === user.name || users.seesAll(user))
      const current = [asking.id, users.parentOf(asking)?.id]
      return seen.map((token) => ({
        ...tokenAnswer(services, token),
        ...(current.includes(token.id) && { current: true as const }),
      }))
    },
    create: ({ user, body: { name, user: owner = null, expires_in: expiresIn, for: use } }) => {
      if (owner !== null && owner !== user.name && !users.isAdmin(user)) throw refused('not-permitted/role')
      const lifetimeMs = milliseconds(expiresIn)
      const asked = {
        ...({ user: owner ?? user.name, name, kind: 'personal', lifetimeMs } as const),
        ...(use === 'mcp' && { isForMcp: true as const }),
      }
      return issuedAnswer(services, tokens.create(asked, user.name))
    },
    rotate: ({ user, params, body: { overlap, expires_in: expiresIn } }) => {
      const { id } = ownToken(services, user, params.id)
      const rotation = { overlapMs: overlap * 1000, lifetimeMs: milliseconds(expiresIn) }
      return issuedAnswer(services, tokens.rotate(id, rotation, user.name))
    },
    revoke: ({ user, params }) => {
      tokens.revoke(ownToken(services, user, params.id).id, user.name)
    },
    pause: ({ user, params }) =>
      tokenAnswer(services, tokens.pause(ownToken(services, user, params.id).id, user.name)),
    resume: ({ user, params }) =>
      tokenAnswer(services, tokens.resume(ownToken(services, user, params.id).id)),
  }
}

function milliseconds(seconds: number | null | undefined): number | undefined {
  return seconds === null || seconds === undefined ? undefined : seconds * 1000
}

/**
 * Returns a token that the caller may change. A token that the caller may not see counts as missing.
 * @throws RequestRefused 403, 404
 */
function ownToken({ users, tokens }: TokenRouting, user: GatewayUser, id: string): AccessToken {
  const token = tokens.find(id)
  if (token?.user === user.name) return token
  if (token === undefined || !users.isAdmin(user)) throw refused('token-not-found')
  checkIsPerson(user)
  return token
}

/** Returns the answer with the token's text. No later answer contains the text. */
function issuedAnswer(services: TokenRouting, { token, text }: IssuedToken): IssuedTokenAnswer {
  return { ...tokenAnswer(services, token), token: text }
}

function tokenAnswer({ users, tokens }: TokenRouting, token: AccessToken): TokenAnswer {
  const { id, name, user, kind, isDeclared, expiresAt } = token
  const { createdAt, createdBy, revokedAt, revokedBy, replacedBy } = token as Partial<StoredToken>
  const { pausedAt, pausedBy } = token as Partial<StoredToken>
  return {
    id,
    name,
    user,
    kind,
    declared: isDeclared,
    status: statusOf(users, token),
    created_at: timeOf(createdAt),
    created_by: createdBy ?? null,
    expires_at: timeOf(expiresAt),
    last_used_at: timeOf(tokens.lastUse(token)),
    ...(revokedAt !== undefined && { revoked_at: new Date(revokedAt).toISOString(), revoked_by: revokedBy }),
    ...(replacedBy !== undefined && { replaced_by: replacedBy }),
    ...(token.isForMcp === true && { for: 'mcp' as const }),
    ...(pausedAt !== undefined && { paused_at: new Date(pausedAt).toISOString(), paused_by: pausedBy }),
  }
}

function statusOf(users: Users, token: AccessToken): TokenAnswer['status'] {
  if (users.refusal(token) === undefined) return 'active'
  if ('revokedAt' in token && token.revokedAt !== undefined) return 'revoked'
  return token.expiresAt !== undefined && token.expiresAt <= users.now ? 'expired' : 'inactive'
}

interface MachineRouting {
  readonly directory: UserDirectory
  readonly tokens: Tokens
}

/**
 * The text that is shown instead of a key. hoop shows the first characters of a key here. This gateway stores
 * no part of a key.
 */
const MASKED = `rba_${'*'.repeat(43)}`

export function budgetRoutes({
  directory,
  budgets,
}: {
  readonly directory: UserDirectory
  readonly budgets: Budgets
}): Handlers<typeof budgetContract> {
  return {
    list: () =>
      machines(directory).flatMap(({ name, budget: limits }) => {
        const [budget, used] = [budgetAnswer(limits), budgets.used(name)]
        if (budget === null || used === undefined) return []
        const { runs, bytes, runningMs, freeAt } = used
        return [
          { user: name, budget, used: { runs, bytes, hours: runningMs / HOUR_MS }, free_at: timeOf(freeAt) },
        ]
      }),
  }
}

/** Serves machines in the form of hoop's service accounts. */
export function serviceAccountRoutes({
  directory,
}: Pick<MachineRouting, 'directory'>): Handlers<typeof serviceAccountContract> {
  return {
    list: () => orNull(machines(directory).map(serviceAccountAnswer)),
    create: ({ user, body: { subject: name, status, groups } }) => {
      const isActive = activityOf(status)
      const asked = { name, kind: 'machine', groups, isActive, budget: undefined, takesOver: false } as const
      return serviceAccountAnswer(directory.create(asked, user.name))
    },
    change: ({ user, params: { subject: name }, body: { status, groups } }) => {
      if (directory.get(name).kind !== 'machine') throw notFound()
      const isActive = typeof status === 'string' ? activityOf(status) : undefined
      return serviceAccountAnswer(
        directory.change(name, { isActive, groups: groups ?? undefined }, user.name),
      )
    },
  }
}

/** Serves machines in the form of hoop's API keys. */
export function apiKeyRoutes(services: MachineRouting): Handlers<typeof apiKeyContract> {
  const { directory, tokens } = services
  const machineOf = (name: string) => {
    const machine = machines(directory).find((one) => one.name === name)
    if (machine === undefined) throw notFound()
    return machine
  }
  return {
    list: () => orNull(machines(directory).map((machine) => apiKeyAnswer(services, machine))),
    show: ({ params }) => apiKeyAnswer(services, machineOf(params.name)),
    create: ({ user, body: { name, groups } }) => {
      const key = { user: name, name: 'api-key', kind: 'personal', lifetimeMs: undefined } as const
      const { token, text } = tokens.issue(key, user.name)
      const asked = { name, kind: 'machine', groups, isActive: true, budget: undefined } as const
      const machine = directory.create({ ...asked, takesOver: false }, user.name, [token])
      return { ...apiKeyAnswer(services, machine), key: text }
    },
    change: ({ user, params, body: { name, groups } }) => {
      const machine = machineOf(params.name)
      if (typeof name === 'string' && name !== machine.name) throw refused('invalid-request/rename')
      return apiKeyAnswer(
        services,
        directory.change(machine.name, { groups: groups ?? undefined }, user.name),
      )
    },
    remove: ({ user, params }) => {
      directory.change(machineOf(params.name).name, { isActive: false }, user.name)
    },
    reactivate: ({ user, params }) => {
      const { name, isActive } = machineOf(params.name)
      if (isActive) throw refused('invalid-request/active-key')
      return apiKeyAnswer(services, directory.change(name, { isActive: true }, user.name))
    },
  }
}

function machines(directory: UserDirectory): readonly GatewayUser[] {
  return directory.list().filter(({ kind }) => kind === 'machine')
}

/** hoop answers null for an empty list. */
function orNull<T>(list: readonly T[]): readonly T[] | null {
  return list.length === 0 ? null : list
}

function notFound(): RequestRefused {
  return refused('user-not-found/resource')
}

function activityOf(status: string): boolean {
  if (status === 'active' || status === 'inactive') return status === 'active'
  throw refused('invalid-request/status', { status })
}

function serviceAccountAnswer({ name, groups, isActive }: GatewayUser): ServiceAccountAnswer {
  const status = isActive ? 'active' : 'inactive'
  return { id: name, org_id: ORGANIZATION, subject: name, name, status, groups }
}

function apiKeyAnswer({ tokens }: MachineRouting, machine: GatewayUser): ApiKeyAnswer {
  const { name, groups, isActive } = machine
  const { createdAt, createdBy = '', deactivatedAt, deactivatedBy } = machine as Partial<StoredUser>
  const used = tokens.list(name).map((token) => tokens.lastUse(token) ?? 0)
  const lastUse = Math.max(0, ...used)
  return {
    id: name,
    org_id: ORGANIZATION,
    name,
    masked_key: MASKED,
    groups,
    status: isActive ? 'active' : 'revoked',
    created_by: createdBy,
    created_at: timeOf(createdAt),
    ...(deactivatedAt !== undefined && {
      deactivated_by: deactivatedBy,
      deactivated_at: new Date(deactivatedAt).toISOString(),
    }),
    ...(lastUse > 0 && { last_used_at: new Date(lastUse).toISOString() }),
  }
}
