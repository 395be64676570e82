import {
  apiKeyContract,
  serviceAccountContract,
  type ApiKeyAnswer,
  type ServiceAccountAnswer,
} from '../../../contract/machines.ts'
import { hoopWords } from '../../../wire/gateway-words.ts'
import type { Handlers } from '../../handlers.ts'
import { ORGANIZATION, timeOf, type GatewayUser, type StoredUser } from '../../identity.ts'
import { RequestRefused } from '../../refusals/request-refused.ts'
import type { UserDirectory } from './directory.ts'
import type { Tokens } from './tokens.ts'

interface MachineRouting {
  readonly directory: UserDirectory
  readonly tokens: Tokens
}

/** hoop shows the beginning of a key. Here nothing of it is kept. */
const MASKED = `rba_${'*'.repeat(43)}`

/** Machines, as hoop shows its service accounts. */
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

/** Machines, as hoop shows its API keys. */
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
      if (typeof name === 'string' && name !== machine.name)
        throw new RequestRefused('invalid-request', 'name: stays, since sessions are recorded under it', 422)
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
      if (isActive) throw new RequestRefused('invalid-request', 'cannot reactivate an active api key', 422)
      return apiKeyAnswer(services, directory.change(name, { isActive: true }, user.name))
    },
  }
}

function machines(directory: UserDirectory): readonly GatewayUser[] {
  return directory.list().filter(({ kind }) => kind === 'machine')
}

/** hoop sends an empty list as null. */
function orNull<T>(list: readonly T[]): readonly T[] | null {
  return list.length === 0 ? null : list
}

function notFound(): RequestRefused {
  return new RequestRefused('user-not-found', hoopWords.resourceNotFound)
}

function activityOf(status: string): boolean {
  if (status === 'active' || status === 'inactive') return status === 'active'
  throw new RequestRefused('invalid-request', `wrong status value "${status}"`, 422)
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
