import type { FastifyInstance, FastifyRequest } from 'fastify'
import { addressUrl, type Address } from '../../../basics/net/address.ts'
import { ORGANIZATION, timeOf, type GatewayUser, type SignedIn } from '../../identity.ts'
import type { Users } from '../../people/identities/users.ts'
import type { RestServices } from '../services.ts'

/** hoop's word for a gateway with one organization. */
const TENANCY = 'selfhosted'
/** Addresses that mean "all of this machine". No client elsewhere can connect to them. */
const WILDCARDS = new Set(['0.0.0.0', '::'])

/** Fields of hoop's about features that are not here, or are set up elsewhere. */
const WITHOUT = {
  ...{ commit_sha: '', log_level: '', go_debug: '', redact_provider: '', idp_provider_name: '' },
  ...{ has_redact_credentials: false, has_webhook_app_key: false, has_ask_ai_credentials: false },
  ...{ has_idp_audience: false, has_idp_custom_scopes: false, has_ssh_client_host_key: false },
  ...{ postgres_proxy_enabled: false, disable_sessions_download: false, disable_clipboard_copy_cut: false },
  ...{ analytics_tracking: 'disabled', analytics_mode: 'disabled', feature_flags: {}, license_info: null },
}

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
    ...WITHOUT,
    version: server.version,
    auth_method: authMethod(signIn),
    api_url: apiUrl(app, request),
    grpc_url: addressUrl(server.tls === undefined ? 'grpc' : 'grpcs', reachable(server.grpc, request)),
    tenancy_type: TENANCY,
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
    ...{ groups: user.groups, slack_id: '', picture: '' },
    is_admin: users.isAdmin(user),
    is_multitenant: false,
    tenancy_type: TENANCY,
    ...{ org_id: ORGANIZATION, org_name: 'default', org_license: '' },
    ...{ feature_ask_ai: 'unavailable', webapp_users_management: 'on', intercom_hmac_digest: '' },
    ...{ default_protection_profile: null, show_origin_survey: false, show_setup_checklist: false },
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
