import type { FastifyInstance } from 'fastify'
import { hoopWords } from '../../../../wire/gateway-words.ts'
import type { AccessToken, GatewayUser } from '../../../identity.ts'
import { readExecBody } from '../../body/body.ts'
import { checkIsPerson } from '../../access.ts'
import { HttpError } from '../../http/http-error.ts'
import { firstOption, type Query } from '../../http/query.ts'
import type { RestServices } from '../../services.ts'
import { rotationBody, tokenBody } from './identity-bodies.ts'
import { tokenView } from './token-view.ts'

type Services = Pick<RestServices, 'users' | 'tokens'>

interface ById {
  readonly Params: { readonly id: string }
}

/** Tokens of the caller, for admins those of all. Auditors see all, and change their own alone. */
export function tokenListRoute(app: FastifyInstance, services: Services): void {
  const { users, tokens } = services

  app.get<{ Querystring: Query }>('/api/tokens', ({ user, query }) => {
    const asked = firstOption(query, 'user')
    const found = tokens.list(asked).filter((token) => token.user === user.name || users.seesAll(user))
    return found.map((token) => tokenView(services, token))
  })

  app.delete<ById>('/api/tokens/:id', async ({ user, params }, reply) => {
    tokens.revoke(ownToken(services, user, params.id).id, user.name)
    return reply.code(204).send()
  })
}

/** Those that read a body. A token's text is in the answer that makes it, and never again. */
export function tokenRoutes(app: FastifyInstance, services: Services): void {
  const { tokens } = services

  app.post('/api/tokens', async ({ user, body }, reply) => {
    const { name, user: asked, expires_in: expiresIn } = readExecBody(tokenBody, body)
    const owner = asked ?? user.name
    checkMayCreate(services, user, owner)
    const lifetimeMs = milliseconds(expiresIn)
    const { token, text } = tokens.create({ user: owner, name, kind: 'personal', lifetimeMs }, user.name)
    return reply.code(201).send({ ...tokenView(services, token), token: text })
  })

  app.post<ById>('/api/tokens/:id/rotate', async ({ user, params, body }, reply) => {
    const { overlap, expires_in: expiresIn } = readExecBody(rotationBody, body ?? {})
    const { id } = ownToken(services, user, params.id)
    const rotation = { overlapMs: overlap * 1000, lifetimeMs: milliseconds(expiresIn) }
    const { token, text } = tokens.rotate(id, rotation, user.name)
    return reply.code(201).send({ ...tokenView(services, token), token: text })
  })
}

function milliseconds(seconds: number | null | undefined): number | undefined {
  return seconds === null || seconds === undefined ? undefined : seconds * 1000
}

function checkMayCreate({ users }: Services, user: GatewayUser, owner: string): void {
  if (owner !== user.name && !users.isAdmin(user))
    throw new HttpError('not-permitted', hoopWords.accessDenied)
}

/** Tokens that the caller may not see read as missing. @throws HttpError 403, 404 */
function ownToken({ users, tokens }: Services, user: GatewayUser, id: string): AccessToken {
  const token = tokens.find(id)
  if (token?.user === user.name) return token
  if (token === undefined || !users.isAdmin(user)) throw new HttpError('token-not-found', 'token not found')
  checkIsPerson(user)
  return token
}
