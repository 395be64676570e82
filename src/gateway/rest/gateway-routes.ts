import type { FastifyInstance } from 'fastify'
import { addressUrl, type Address } from '../../basics/net/address.ts'
import { SettingsError } from '../../basics/settings/problems.ts'
import type { AnswerOf } from '../../contract/contract.ts'
import type { gatewayContract, settingsContract, UserInfoAnswer } from '../../contract/gateway.ts'
import { Reply, type Handlers } from '../handlers.ts'
import { ORGANIZATION } from '../../contract/words.ts'
import { timeOf, type GatewayUser, type SignedIn } from '../identity.ts'
import { readinessOf } from '../operating/monitoring.ts'
import type { Users } from '../people/identities/users.ts'
import { refused } from '../refusals/request-refused.ts'
import { isRepositoryFault } from '../refusals/runbook-errors.ts'
import type { ChangedEntry } from '../settings/changed-entries.ts'
import type { ReloadReport } from '../settings/reload.ts'
import type { RestServices } from './services.ts'

/** hoop's word for a gateway with one organization. */
const TENANCY = 'selfhosted'
/** Addresses that mean all interfaces. Clients on other machines cannot connect to these addresses. */
const WILDCARDS = new Set(['0.0.0.0', '::'])

/** hoop's fields for features that this gateway does not have, or configures elsewhere. */
const WITHOUT = {
  commit_sha: '',
  log_level: '',
  go_debug: '',
  redact_provider: '',
  idp_provider_name: '',
  has_redact_credentials: false,
  has_webhook_app_key: false,
  has_ask_ai_credentials: false,
  has_idp_audience: false,
  has_idp_custom_scopes: false,
  has_ssh_client_host_key: false,
  postgres_proxy_enabled: false,
  disable_sessions_download: false,
  disable_clipboard_copy_cut: false,
  analytics_tracking: 'disabled',
  analytics_mode: 'disabled',
  feature_flags: {},
  license_info: null,
} as const

export function gatewayRoutes(
  { server, users, signIn, condition, examples }: RestServices,
  app: FastifyInstance,
): Handlers<typeof gatewayContract> {
  // Both are hoop's words. The gateway accepts tokens in both cases.
  const authMethod = () => (signIn.isOffered ? 'oidc' : 'local')
  return {
    liveness: () => ({ liveness: 'OK' }),
    readiness: () => {
      const readiness = readinessOf(condition())
      return new Reply(readiness.status === 'ready' ? 200 : 503, readiness)
    },
    // No setup is required: users cannot register, because admins or gateway.yaml create them.
    publicInfo: () => ({
      auth_method: authMethod(),
      setup_required: false,
      ...(signIn.isOffered && { sign_in: ['browser', 'device'] }),
    }),
    serverInfo: ({ hostname }) => {
      const isTls = server.tls !== undefined
      return {
        ...WITHOUT,
        version: server.version,
        auth_method: authMethod(),
        api_url: apiUrl(app, { protocol: isTls ? 'https' : 'http', hostname }),
        grpc_url: addressUrl(isTls ? 'grpcs' : 'grpc', reachable(server.grpc, hostname)),
        tenancy_type: TENANCY,
        has_examples: examples?.areThere() === true,
      }
    },
    userInfo: (asked) => userInfo(users, asked),
  }
}

export function settingsRoutes({ reload, examples }: RestServices): Handlers<typeof settingsContract> {
  return {
    show: () => {
      const { file, settings } = reload.printed
      return { file, settings }
    },
    preview: () => reported(reload.preview()),
    reload: ({ query }) => reported(reload.run(query.version)),
    removeExamples: async () => {
      if (examples?.areThere() !== true) throw refused('endpoint-not-found/examples')
      try {
        return { kept: (await examples.remove(() => reload.run())) ?? null }
      } catch (error) {
        throw refusal(error as Error)
      }
    },
  }
}

async function reported(
  report: Promise<ReloadReport>,
): Promise<AnswerOf<(typeof settingsContract)['reload']>> {
  try {
    const { changes, entries, waiting, version, restart } = await report
    return {
      changes,
      entries: entries.all.map(shownEntry),
      values_left_out: entries.leftOut,
      waiting:
        waiting?.map(({ sessionId, owner, runbook = null, ...rest }) => {
          return { session_id: sessionId, user: owner, runbook, ...rest }
        }) ?? null,
      version,
      restart_required: restart,
    }
  } catch (error) {
    throw refusal(error as Error)
  }
}

function shownEntry({ parts, ...entry }: ChangedEntry) {
  const values = parts.map(({ before = null, after = null, isSecret, ...part }) => {
    return { ...part, before, after, is_secret: isSecret }
  })
  return { ...entry, values }
}

function refusal(error: Error): Error {
  const { message } = error
  const isUnusable = error instanceof SettingsError || isRepositoryFault(error)
  return isUnusable ? refused('invalid-settings', { problems: message }) : error
}

/** Users have only names here, so hoop's fields `id` and `email` also contain the name. */
export function userInfo(users: Users, { user, token }: SignedIn): UserInfoAnswer {
  return {
    id: user.name,
    name: user.name,
    email: user.name,
    status: 'active',
    verified: true,
    role: roleOf(users, user),
    kind: user.kind,
    groups: user.groups,
    slack_id: '',
    picture: '',
    is_admin: users.isAdmin(user),
    is_multitenant: false,
    tenancy_type: TENANCY,
    org_id: ORGANIZATION,
    org_name: 'default',
    org_license: '',
    feature_ask_ai: 'unavailable',
    webapp_users_management: 'on',
    intercom_hmac_digest: '',
    default_protection_profile: null,
    show_origin_survey: false,
    show_setup_checklist: false,
    token: { id: token.id, name: token.name, kind: token.kind, expires_at: timeOf(token.expiresAt) },
  }
}

function roleOf(users: Users, user: GatewayUser): UserInfoAnswer['role'] {
  if (users.isAdmin(user)) return 'admin'
  return users.isAuditor(user) ? 'auditor' : 'standard'
}

/** The address that the caller used. */
interface Reached {
  readonly protocol: 'http' | 'https'
  readonly hostname: string
}

export function apiUrl(app: Pick<FastifyInstance, 'addresses'>, { protocol, hostname }: Reached): string {
  return addressUrl(protocol, reachable(boundAddress(app), hostname))
}

function boundAddress(app: Pick<FastifyInstance, 'addresses'>): Address {
  const [bound] = app.addresses()
  if (typeof bound !== 'object') throw new Error('the REST interface answers, but listens nowhere')
  return { host: bound.address, port: bound.port }
}

/** Replaces a wildcard address by the host name that the caller used. */
function reachable({ host, port }: Address, hostname: string): Address {
  const named = hostname.replace(/^\[(.*)\]$/, '$1')
  return { host: WILDCARDS.has(host) && named !== '' ? named : host, port }
}

/** A caller who reads nothing for this time is gone. The time is short, because the copy uses disk space. */
const STALLED_MS = 60_000

export function backupRoutes(app: FastifyInstance, { backups, log }: RestServices): void {
  app.post('/api/backup', async (request, reply) => {
    const { socket } = request.raw
    const backup = await backups.make({ withKey: request.user.kind === 'person' })
    reply.raw.once('close', () => void backup.discard())
    socket.setTimeout(STALLED_MS, () => socket.destroy())
    backup.bytes.on('error', (error) => log.error({ error: error.message }, 'backup failed before its end'))
    log.info({ user: request.user.name, bytes: backup.manifest.parts[0]?.bytes }, 'backup')
    const name = `runbook-${backup.manifest.made_at.replaceAll(/[-:]|\..*/g, '')}.backup`
    void reply.header('content-disposition', `attachment; filename=${name}`)
    // The caller may have gone while the copy was made.
    if (socket.destroyed) await backup.discard()
    return reply.type('application/gzip').send(backup.bytes)
  })
}
