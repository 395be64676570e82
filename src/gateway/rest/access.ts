import type { FastifyInstance, FastifyRequest } from 'fastify'
import { hoopWords } from '../../wire/gateway-words.ts'
import type { AccessToken, GatewayUser, SignedIn } from '../people/identities/identity.ts'
import type { ConnectionSettings } from '../settings/settings.ts'
import type { Users } from '../people/identities/users.ts'
import { HttpError } from './http/http-error.ts'
import { DOCS } from './openapi/document.ts'
import type { Operation, Role } from './operations/operation.ts'
import { OPERATIONS } from './operations/operations.ts'
import { authenticate } from './people/identities/authentication.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; set before the body is read. */
    user: GatewayUser
    /** By which. */
    token: AccessToken
  }
  interface FastifyContextConfig {
    /** Undefined where no route was found. */
    operation?: Pick<Operation, 'role' | 'audit'>
  }
}

/** The page about the interface, the same for everybody. */
const PAGE = { role: 'public', audit: 'none' } as const

/** Gives each route that is added after it its row of the table. A route without one is a mistake, and is thrown. */
export function requireOperations(app: FastifyInstance): void {
  app.addHook('onRoute', (route) => {
    for (const method of [route.method].flat()) {
      const operation = operationOf(method, route.url)
      if (operation === undefined)
        throw new Error(`${method} ${route.url} has no row in src/gateway/rest/operations: who may call it?`)
      route.config = { ...route.config, operation }
    }
  })
}

/** HEAD is GET without the body. */
function operationOf(method: string, url: string): Pick<Operation, 'role' | 'audit'> | undefined {
  return isPage(url) ? PAGE : OPERATIONS[`${method === 'HEAD' ? 'GET' : method} ${url}`]
}

export function isPage(url: string | undefined): boolean {
  return url === DOCS || url?.startsWith(`${DOCS}/`) === true
}

/** Finds out who asks, where that matters, and whether the operation is for them at all. @throws HttpError 401, 403 */
export function authorize(users: Users, request: FastifyRequest): SignedIn | undefined {
  const role = request.routeOptions.config.operation?.role ?? 'user'
  if (role === 'public') return undefined
  const signedIn = authenticate(users, request.headers, request.ip)
  const { user, token } = signedIn
  request.user = user
  request.token = token
  if (!hasRole(users, user, role)) throw new HttpError('not-permitted', hoopWords.accessDenied)
  return signedIn
}

function hasRole(users: Users, user: GatewayUser, role: Exclude<Role, 'public'>): boolean {
  switch (role) {
    case 'user':
      return true
    case 'standard':
      return !users.onlyReads(user)
    case 'auditor':
      return users.seesAll(user)
    case 'admin':
      return users.isAdmin(user)
  }
}

/** A connection that the user may not see counts as missing. @throws HttpError 404, or what stands for it */
export function visibleConnection(
  users: Users,
  user: GatewayUser,
  name: string,
  missing = () => new HttpError('connection-not-found', hoopWords.connectionNotFound),
): ConnectionSettings {
  const connection = users.connection(user, name)
  if (connection === undefined) throw missing()
  return connection
}
