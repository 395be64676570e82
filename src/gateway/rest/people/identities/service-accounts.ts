import type { FastifyInstance } from 'fastify'
import { hoopWords } from '../../../../wire/gateway-words.ts'
import type { GatewayUser } from '../../../identity.ts'
import { readExecBody } from '../../body/body.ts'
import { HttpError } from '../../http/http-error.ts'
import { ORGANIZATION, type RestServices } from '../../services.ts'
import { serviceAccountBody, serviceAccountChangeBody } from './identity-bodies.ts'

type Services = Pick<RestServices, 'directory'>

const PLACE = '/api/serviceaccounts'

/** Machines, as hoop shows its service accounts: the subject is the name. An empty list is `null`, as there. */
export function serviceAccountList(app: FastifyInstance, { directory }: Services): void {
  app.get(PLACE, (_, reply) => {
    const found = directory.list().filter(({ kind }) => kind === 'machine')
    const shown = found.length === 0 ? null : found.map(describe)
    return reply.type('application/json; charset=utf-8').send(JSON.stringify(shown))
  })
}

export function serviceAccountRoutes(app: FastifyInstance, { directory }: Services): void {
  app.post(PLACE, async ({ user, body }, reply) => {
    const { subject: name, status, groups } = readExecBody(serviceAccountBody, body)
    const isActive = activityOf(status)
    const asked = { name, kind: 'machine', groups, isActive, budget: undefined, takesOver: false } as const
    return reply.code(201).send(describe(directory.create(asked, user.name)))
  })

  app.put<{ Params: { subject: string } }>(`${PLACE}/:subject`, ({ user, params, body }) => {
    const { status, groups } = readExecBody(serviceAccountChangeBody, body)
    const { kind } = directory.get(params.subject)
    if (kind !== 'machine') throw new HttpError('user-not-found', hoopWords.resourceNotFound)
    const isActive = typeof status === 'string' ? activityOf(status) : undefined
    return describe(directory.change(params.subject, { isActive, groups: groups ?? undefined }, user.name))
  })
}

function activityOf(status: string): boolean {
  if (status === 'active' || status === 'inactive') return status === 'active'
  throw new HttpError('invalid-request', `wrong status value "${status}"`, 422)
}

function describe({ name, groups, isActive }: GatewayUser): object {
  const status = isActive ? 'active' : 'inactive'
  return { id: name, org_id: ORGANIZATION, subject: name, name, status, groups }
}
