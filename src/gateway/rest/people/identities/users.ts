import type { FastifyInstance, FastifyReply } from 'fastify'
import type * as v from 'valibot'
import type { Budget } from '../../../identity.ts'
import { readExecBody } from '../../body/body.ts'
import { HttpError } from '../../http/http-error.ts'
import type { RestServices } from '../../services.ts'
import { groupBody, userBody, userChangeBody, type budgetBody } from './identity-bodies.ts'
import { userView } from './user-view.ts'

type Services = Pick<RestServices, 'users' | 'directory'>

interface Named {
  readonly Params: { readonly name: string }
}

/** Who may ask this gateway, and in which groups they are. */
export function userListRoutes(app: FastifyInstance, services: Services): void {
  const { directory } = services
  app.get('/api/users', () => directory.list().map((user) => userView(services, user)))
  app.get<Named>('/api/users/:name', ({ params }) => userView(services, directory.get(params.name)))
  app.delete<Named>('/api/users/:name', async ({ user, params }, reply) => {
    directory.remove(params.name, user.name)
    return reply.code(204).send()
  })

  app.get('/api/users/groups', () => directory.groups())
  app.delete<Named>('/api/users/groups/:name', async ({ params }, reply) => {
    directory.removeGroup(params.name)
    return reply.code(204).send()
  })
}

/** Those that read a body. */
export function userRoutes(app: FastifyInstance, services: Services): void {
  const { directory } = services
  app.post('/api/users', async ({ user, body }, reply) => {
    const asked = readExecBody(userBody, body, { email: 422 })
    if (typeof asked.password === 'string' && asked.password !== '')
      throw new HttpError(
        'invalid-request',
        'password: there are none here, make a token: POST /api/tokens',
        422,
      )
    const { email: name, kind, groups, take_over: takesOver } = asked
    const made = directory.create(
      { name, kind, groups, takesOver, isActive: true, budget: budgetOf(asked.budget) },
      user.name,
    )
    return created(services, reply, made)
  })

  app.put<Named>('/api/users/:name', ({ user, params, body }) => {
    const { status, groups, budget } = readExecBody(userChangeBody, body)
    const isActive = status === undefined || status === null ? undefined : status === 'active'
    const change = { isActive, groups: groups ?? undefined, budget: budget && budgetOf(budget) }
    const isNoBudget = budget === null
    const changed = directory.change(params.name, { ...change, ...(isNoBudget && { budget }) }, user.name)
    return userView(services, changed)
  })

  app.post('/api/users/groups', async ({ body }, reply) => {
    const { name } = readExecBody(groupBody, body)
    directory.addGroup(name)
    return reply.code(201).send({ name })
  })
}

function created(
  services: Services,
  reply: FastifyReply,
  user: Parameters<typeof userView>[1],
): FastifyReply {
  return reply.code(201).send(userView(services, user))
}

function budgetOf(asked: v.InferOutput<typeof budgetBody> | null | undefined): Budget | undefined {
  if (asked === null || asked === undefined) return undefined
  const { runs, bytes, hours, per } = asked
  return {
    ...{ runs, perMs: per * 1000 },
    ...(typeof bytes === 'number' && { bytes }),
    ...(typeof hours === 'number' && { runningMs: hours * 60 * 60 * 1000 }),
  }
}
