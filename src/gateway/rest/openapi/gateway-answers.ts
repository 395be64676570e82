import * as v from 'valibot'

// What the routes about the gateway itself answer, as in answers.ts.

const text = v.string()
const names = v.array(text)
const no = v.literal(false)

export const serverAnswer = v.strictObject({
  version: text,
  auth_method: text,
  api_url: text,
  grpc_url: text,
  tenancy_type: text,
  ...{ commit_sha: text, log_level: text, go_debug: text, redact_provider: text, idp_provider_name: text },
  ...{
    has_redact_credentials: no,
    has_webhook_app_key: no,
    has_ask_ai_credentials: no,
    has_idp_audience: no,
  },
  ...{ has_idp_custom_scopes: no, has_ssh_client_host_key: no, postgres_proxy_enabled: no },
  ...{ disable_sessions_download: no, disable_clipboard_copy_cut: no },
  ...{ analytics_tracking: v.literal('disabled'), analytics_mode: v.literal('disabled') },
  ...{ feature_flags: v.strictObject({}), license_info: v.null() },
})

export const publicServerAnswer = v.strictObject({
  auth_method: text,
  setup_required: v.boolean(),
  sign_in: v.optional(v.array(text)),
})
export const livenessAnswer = v.strictObject({ liveness: text })
export const readinessAnswer = v.strictObject({
  status: v.picklist(['ready', 'degraded', 'stopping']),
  reason: v.optional(text),
  warning: v.optional(text),
})
export const reloadAnswer = v.strictObject({
  changes: v.array(v.strictObject({ setting: text, added: names, removed: names, changed: names })),
  restart_required: names,
})
export const signedInAnswer = v.strictObject({ status: v.literal('ok') })
export const documentAnswer = v.pipe(v.looseObject({}), v.description('OpenAPI 3'))
