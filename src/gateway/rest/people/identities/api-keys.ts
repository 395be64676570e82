import type { FastifyInstance } from 'fastify'
import { hoopWords } from '../../../../wire/gateway-words.ts'
import type { GatewayUser, StoredUser } from '../../../identity.ts'
import { readExecBody } from '../../body/body.ts'
import { HttpError } from '../../http/http-error.ts'
import { ORGANIZATION, type RestServices } from '../../services.ts'
import { apiKeyBody, apiKeyChangeBody } from './identity-bodies.ts'
import { timeOf } from './token-view.ts'

type Services = Pick<RestServices, 'directory' | 'tokens'>

interface Named {
  readonly Params: { readonly name: string }
}

const PLACE = '/api/api-keys'
/** hoop shows the beginning of a key. Here nothing of it is kept. */
const MASKED = `rba_${'*'.repeat(43)}`

/** Machines, as hoop shows its API keys: one that is revoked is a machine that is not active. */
export function apiKeyList(app: FastifyInstance, services: Services): void {
  const { directory } = services

  app.get(PLACE, (_, reply) => {
    const found = directory.list().filter(({ kind }) => kind === 'machine')
    const shown = found.length === 0 ? null : found.map((machine) => describe(services, machine))
    return reply.type('application/json; charset=utf-8').send(JSON.stringify(shown))
  })

  app.get<Named>(`${PLACE}/:name`, ({ params }) => describe(services, machineOf(services, params.name)))

  app.delete<Named>(`${PLACE}/:name`, async ({ user, params }, reply) => {
    const { name } = machineOf(services, params.name)
    directory.change(name, { isActive: false }, user.name)
    return reply.code(204).send()
  })

  app.post<Named>(`${PLACE}/:name/reactivate`, ({ user, params }) => {
    const { name, isActive } = machineOf(services, params.name)
    if (isActive) throw new HttpError('invalid-request', 'cannot reactivate an active api key', 422)
    return describe(services, directory.change(name, { isActive: true }, user.name))
  })
}

export function apiKeyRoutes(app: FastifyInstance, services: Services): void {
  const { directory, tokens } = services

  app.post(PLACE, async ({ user, body }, reply) => {
    const { name, groups } = readExecBody(apiKeyBody, body)
    const key = { user: name, name: 'api-key', kind: 'personal', lifetimeMs: undefined } as const
    const { token, text } = tokens.issue(key, user.name)
    const asked = { name, kind: 'machine', groups, isActive: true, budget: undefined } as const
    const machine = directory.create({ ...asked, takesOver: false }, user.name, [token])
    return reply.code(201).send({ ...describe(services, machine), key: text })
  })

  app.put<Named>(`${PLACE}/:name`, ({ user, params, body }) => {
    const { name, groups } = readExecBody(apiKeyChangeBody, body)
    const machine = machineOf(services, params.name)
    if (typeof name === 'string' && name !== machine.name)
      throw new HttpError('invalid-request', 'name: stays, since sessions are recorded under it', 422)
    return describe(services, directory.change(machine.name, { groups: groups ?? undefined }, user.name))
  })
}

function machineOf({ directory }: Services, name: string): GatewayUser {
  const machine = directory.list().find((user) => user.name === name && user.kind === 'machine')
  if (machine === undefined) throw new HttpError('user-not-found', hoopWords.resourceNotFound)
  return machine
}

function describe({ tokens }: Services, machine: GatewayUser): object {
  const { name, groups, isActive } = machine
  const { createdAt, createdBy, deactivatedAt, deactivatedBy } = machine as Partial<StoredUser>
  const used = tokens.list(name).map((token) => tokens.lastUse(token) ?? 0)
  const lastUse = Math.max(0, ...used)
  return {
    ...{ id: name, org_id: ORGANIZATION, name, masked_key: MASKED, groups },
    ...{
      status: isActive ? 'active' : 'revoked',
      created_by: createdBy ?? '',
      created_at: timeOf(createdAt),
    },
    ...(deactivatedAt !== undefined && {
      deactivated_by: deactivatedBy,
      deactivated_at: timeOf(deactivatedAt),
    }),
    ...(lastUse > 0 && { last_used_at: timeOf(lastUse) }),
  }
}
