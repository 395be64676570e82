import type { FastifyInstance, FastifyRequest } from 'fastify'
import { addressUrl, type Address } from '../../../basics/net/address.ts'
import type { GatewayUser, SignedIn } from '../../people/identities/identity.ts'
import type { Users } from '../../people/identities/users.ts'
import { timeOf } from '../people/identities/token-view.ts'
import type { RestServices } from '../services.ts'

/** hoop's word for a gateway with one organization. */
const TENANCY = 'selfhosted'
/** Addresses that mean "all of this machine". No client elsewhere can connect to them. */
const WILDCARDS = new Set(['0.0.0.0', '::'])

const PUBLIC_INFO = '/api/publicserverinfo'

/** Tells clients where to find the streams, and who they are. Those of hoop's fields that mean something here. */
export function serverInfoRoutes(app: FastifyInstance, { server, users, signIn }: RestServices): void {
  // Asked before there is a token. Nobody can register, since users come from the settings.
  app.get(PUBLIC_INFO, () => ({
    auth_method: authMethod(signIn),
    setup_required: false,
    ...(signIn.isOffered && { sign_in: ['browser', 'device'] }),
  }))

  app.get('/api/serverinfo', (request) => ({
    version: server.version,
    auth_method: authMethod(signIn),
    api_url: apiUrl(app, request),
    grpc_url: addressUrl(server.tls === undefined ? 'grpc' : 'grpcs', reachable(server.grpc, request)),
    tenancy_type: TENANCY,
    license_info: null,
    disable_sessions_download: false,
  }))

  app.get('/api/userinfo', (request) => userInfo(users, request))
}

/** Who asks, and by which token. */
export function userInfo(users: Users, { user, token }: SignedIn): object {
  return {
    // Users have only names here, so the name fills hoop's other fields as well.
    id: user.name,
    name: user.name,
    email: user.name,
    status: 'active',
    verified: true,
    role: roleOf(users, user),
    kind: user.kind,
    groups: user.groups,
    is_admin: users.isAdmin(user),
    is_multitenant: false,
    tenancy_type: TENANCY,
    token: { id: token.id, name: token.name, kind: token.kind, expires_at: timeOf(token.expiresAt) },
  }
}

/** In hoop's words. */
function roleOf(users: Users, user: GatewayUser): 'admin' | 'auditor' | 'standard' {
  if (users.isAdmin(user)) return 'admin'
  return users.isAuditor(user) ? 'auditor' : 'standard'
}

/** In hoop's words. Tokens are accepted in any case. */
function authMethod({ isOffered }: RestServices['signIn']): string {
  return isOffered ? 'oidc' : 'local'
}

/** Under which this caller can reach the interface. */
export function apiUrl(app: Pick<FastifyInstance, 'addresses'>, request: FastifyRequest): string {
  return addressUrl(request.protocol, reachable(boundAddress(app), request))
}

function boundAddress(app: Pick<FastifyInstance, 'addresses'>): Address {
  const [bound] = app.addresses()
  if (typeof bound !== 'object') throw new Error('the REST interface answers, but listens nowhere')
  return { host: bound.address, port: bound.port }
}

/** Where the address is no real one, the name under which the caller has reached us. */
function reachable({ host, port }: Address, { hostname }: FastifyRequest): Address {
  const named = hostname.replace(/^\[(.*)\]$/, '$1')
  return { host: WILDCARDS.has(host) && named !== '' ? named : host, port }
}
