import * as v from 'valibot'
import type { Contract, Frozen } from './contract.ts'
import { about, file, option, text, time, wholeCount } from './words.ts'

const no = v.literal(false)
const names = v.array(text)

/** Fields for hoop's features that this gateway does not have are empty. */
const ServerShape = v.strictObject({
  version: about('version of the gateway', text),
  auth_method: about(
    'oidc: people can sign in with an account of a provider; local: people sign in only with a token',
    text,
  ),
  api_url: about('address of the REST interface, as this caller reaches it', text),
  grpc_url: about('address for streams of agents and clients, as this caller reaches it', text),
  has_examples: about(
    'whether the gateway has the examples of the first `npm start`, which admins can remove',
    v.boolean(),
  ),
  tenancy_type: about('always selfhosted', text),
  commit_sha: about('always empty', text),
  log_level: about('always empty', text),
  go_debug: about('always empty', text),
  redact_provider: about('always empty', text),
  idp_provider_name: about('always empty', text),
  has_redact_credentials: no,
  has_webhook_app_key: no,
  has_ask_ai_credentials: no,
  has_idp_audience: no,
  has_idp_custom_scopes: no,
  has_ssh_client_host_key: no,
  postgres_proxy_enabled: no,
  disable_sessions_download: no,
  disable_clipboard_copy_cut: no,
  analytics_tracking: v.literal('disabled'),
  analytics_mode: v.literal('disabled'),
  feature_flags: v.strictObject({}),
  license_info: v.null(),
})

export const whoAsks = {
  id: about('the same as `name`', text),
  name: about('name of the user', text),
  email: about('the same as `name`', text),
  status: v.literal('active'),
  verified: about('always true; clients of hoop expect this field', v.boolean()),
  role: about(
    'admin: a member of the group `admin`; auditor: a member of the group `auditor`; standard: every other user',
    v.picklist(['admin', 'auditor', 'standard']),
  ),
  kind: about('whether the user is a person or a machine', v.picklist(['person', 'machine'])),
  groups: about('names of the groups of the user', v.array(text)),
  slack_id: about('always empty', text),
  picture: about('always empty', text),
  is_admin: about('whether `role` is admin', v.boolean()),
  is_multitenant: about('always false; clients of hoop expect this field', v.boolean()),
  tenancy_type: about('always selfhosted', text),
  org_id: about("hoop's id of the organization, the same for all users", text),
  org_name: about('always default', text),
  org_license: about('always empty', text),
  feature_ask_ai: v.literal('unavailable'),
  webapp_users_management: v.literal('on'),
  intercom_hmac_digest: about('always empty', text),
  default_protection_profile: v.null(),
  show_origin_survey: no,
  show_setup_checklist: no,
  token: about(
    'the token of the request',
    v.strictObject({
      id: about('id of the token', text),
      name: about('name of the token', text),
      kind: about(
        'personal: a user created the token, or it is set in gateway.yaml; sign-in: a sign-in created the token',
        v.picklist(['personal', 'sign-in']),
      ),
      expires_at: about('when the token expires; null: never', time),
    }),
  ),
}
const UserInfoShape = v.strictObject(whoAsks)

const ReadinessShape = v.strictObject({
  status: about('ready: sessions can begin', v.picklist(['ready', 'degraded', 'stopping'])),
  reason: about('why sessions cannot begin; missing if they can', v.optional(text)),
  warning: about(
    'a problem that needs attention, although sessions can begin; missing if there is no problem',
    v.optional(text),
  ),
})

export type UserInfoAnswer = Frozen<v.InferOutput<typeof UserInfoShape>>

const READ = { tag: 'Gateway', method: 'GET', audit: 'none' } as const

export const gatewayContract = {
  liveness: {
    ...READ,
    path: '/api/healthz',
    summary: 'Shows that the gateway runs',
    role: 'public',
    answers: { 200: v.strictObject({ liveness: text }) },
  },
  readiness: {
    ...READ,
    path: '/readyz',
    summary: 'Shows whether sessions can begin, and answers 503 while they cannot',
    role: 'public',
    answers: { 200: ReadinessShape, 503: ReadinessShape },
  },
  document: {
    ...READ,
    path: '/api/openapiv3.json',
    summary: 'Returns the OpenAPI document, as /docs/json does',
    role: 'public',
    isMountedByHand: true,
    answers: { 200: v.pipe(v.looseObject({}), v.description('OpenAPI 3')) },
  },
  /** Requested before the sign-in, so no token is needed. */
  publicInfo: {
    ...READ,
    path: '/api/publicserverinfo',
    summary: 'Shows how users can sign in',
    role: 'public',
    answers: {
      200: v.strictObject({
        auth_method: about('the same as in `GET /api/serverinfo`', text),
        setup_required: about('always false; clients of hoop expect this field', v.boolean()),
        sign_in: about(
          'ways to sign in with an account: browser, device; missing if no provider is set',
          v.optional(v.array(text)),
        ),
      }),
    },
  },
  serverInfo: {
    ...READ,
    path: '/api/serverinfo',
    summary: 'Shows the version and the addresses of the gateway',
    role: 'user',
    answers: { 200: ServerShape },
  },
  userInfo: {
    ...READ,
    path: '/api/userinfo',
    summary: 'Shows the user of the token',
    role: 'user',
    answers: { 200: UserInfoShape },
  },
} as const satisfies Contract

const value = (what: string) =>
  about(`${what}; null: no value, or a secret, which is never shown`, v.nullable(text))
const effect = about(
  'opens: the change surely lets somebody do more; closes: less; both: about access, and parts of the entry do the one and parts the other, or the change may do either; other: the rest',
  v.picklist(['opens', 'both', 'closes', 'other']),
)

const EntriesShape = v.array(
  v.strictObject({
    setting: text,
    name: about('name of the user, connection or other entry', text),
    change: v.picklist(['added', 'removed', 'changed']),
    effect,
    values: v.array(
      v.strictObject({
        name: about('name of the value in the entry; empty if the entry is the value', text),
        before: value('value that the gateway uses before the reload'),
        after: value('value that the gateway uses after it'),
        is_secret: v.boolean(),
        effect,
      }),
    ),
  }),
)

const WaitingShape = v.array(
  v.strictObject({
    session_id: text,
    user: about('name of the requester', text),
    connection: text,
    runbook: about('title or file of the runbook; null for a script and a terminal', v.nullable(text)),
    effect: about(
      'blocked: the request cannot run with the new settings; freed: it can run again; approval-void: an approval no longer counts; no-approver: no user of the gateway can approve it; keeps-rule: the rule has changed, and the request keeps the rule of its time',
      v.picklist(['blocked', 'freed', 'approval-void', 'no-approver', 'keeps-rule']),
    ),
    says: about('a sentence for people', text),
  }),
)

const ChangesShape = v.strictObject({
  changes: about(
    'settings that have changed, each with the names that were added, removed or changed',
    v.array(v.strictObject({ setting: text, added: names, removed: names, changed: names })),
  ),
  entries: about(
    'the same changes with the values before and after; what opens or closes access comes first',
    EntriesShape,
  ),
  values_left_out: about(
    'number of values that `entries` leaves out, because it has at most 2000',
    wholeCount,
  ),
  waiting: about(
    'requests that wait for approval or for their run, and on which the reload has an effect; at most 1000 requests are looked at; null: the history cannot be read',
    v.nullable(WaitingShape),
  ),
  version: about('version of this answer; a reload with it is refused if anything has changed since', text),
  restart_required: about('names of changed settings whose new values apply only after a restart', names),
})
const READ_SETTINGS = {
  tag: 'Gateway',
  method: 'GET',
  role: 'auditor',
} as const

const VIEW = { action: 'view', type: 'settings' } as const

export const settingsContract = {
  show: {
    ...READ_SETTINGS,
    path: '/api/settings',
    audit: { ...VIEW, verb: 'looked at the settings' },
    summary:
      'Shows all settings that the gateway read from gateway.yaml at its start or its last reload, with defaults and without secrets',
    answers: {
      200: v.strictObject({
        file: about('path of the settings file', text),
        settings: about(
          'all settings, in the order of the schema',
          v.array(
            v.strictObject({
              name: about('name of the setting', text),
              value: about(
                'the value; `<set>` for a secret, null if the setting has no value',
                v.nullable(text),
              ),
              from: about(
                'file: the value is from gateway.yaml; default: the setting is not in gateway.yaml and has its default; unset: the setting has no value; refused: the value in gateway.yaml cannot be used',
                v.picklist(['flag', 'variable', 'file', 'default', 'refused', 'unset']),
              ),
              place: about(
                'place in the file, as FILE:LINE:COLUMN; null if the setting is not in the file',
                v.nullable(text),
              ),
            }),
          ),
        ),
      }),
    },
  },
  preview: {
    ...READ_SETTINGS,
    path: '/api/settings/changes',
    audit: { ...VIEW, verb: 'looked at what a reload would change' },
    summary: 'Shows what a reload would change, and changes nothing',
    answers: { 200: ChangesShape },
    errors: ['invalid-settings'],
  },
  reload: {
    tag: 'Gateway',
    method: 'POST',
    path: '/api/reload',
    summary: 'Reads gateway.yaml again, and shows what has changed',
    description: 'If the file cannot be used (422), nothing changes, and the message names each problem.',
    role: 'admin',
    audit: { action: 'update', type: 'settings', verb: 'reloaded the settings' },
    query: {
      version: option(
        '`version` of `GET /api/settings/changes`: if the file or the settings have changed since, nothing is reloaded (409 `settings-changed`)',
      ),
    },
    answers: { 200: ChangesShape },
    errors: ['invalid-settings', 'settings-changed'],
  },
  removeExamples: {
    tag: 'Gateway',
    method: 'DELETE',
    path: '/api/examples',
    summary: 'Removes the examples of the first `npm start`',
    description:
      'Withdraws requests that wait on the connections of the examples, deletes the lines of gateway.yaml that end with `# example`, reads gateway.yaml again, and deletes the files of the examples. Sessions, batches and the audit log stay. If gateway.yaml cannot be used (422), its lines stay, too.',
    role: 'admin',
    audit: { action: 'delete', type: 'settings', verb: 'removed the examples' },
    answers: {
      200: v.strictObject({
        kept: about(
          'path of the folder with the runbooks, if it stays because it has changes; null otherwise',
          v.nullable(text),
        ),
      }),
    },
    errors: ['endpoint-not-found', 'invalid-settings'],
  },
} as const satisfies Contract

export const backupContract = {
  make: {
    tag: 'Gateway',
    method: 'POST',
    path: '/api/backup',
    summary: 'Makes a backup of the state folder and returns it',
    description:
      'The backup contains scripts and output. A backup by a person also contains the key for requests that wait for approval. A backup by a machine does not, so these requests are lost after a restore. The answer begins when the copy is complete.',
    role: 'admin',
    byCookie: 'refused',
    audit: { action: 'download', type: 'backups', verb: 'made a backup' },
    answers: { 200: file },
    errors: ['too-much-at-once', 'history-failed'],
    type: 'application/gzip',
  },
} as const satisfies Contract
