import type { FastifyInstance } from 'fastify'
import type { RestServices } from '../../services.ts'
import { apiKeyList, apiKeyRoutes } from './api-keys.ts'
import { serviceAccountList, serviceAccountRoutes } from './service-accounts.ts'
import { signInRoutes } from './sign-in.ts'
import { tokenListRoute, tokenRoutes } from './tokens.ts'
import { userListRoutes, userRoutes } from './users.ts'

/** Users, their groups and tokens, and machines under hoop's two names. */
export function identityRoutes(app: FastifyInstance, services: RestServices): void {
  userListRoutes(app, services)
  tokenListRoute(app, services)
  serviceAccountList(app, services)
  apiKeyList(app, services)
}

/** Those that read a body. */
export function identityBodyRoutes(app: FastifyInstance, services: RestServices): void {
  signInRoutes(app, services)
  userRoutes(app, services)
  tokenRoutes(app, services)
  serviceAccountRoutes(app, services)
  apiKeyRoutes(app, services)
}
