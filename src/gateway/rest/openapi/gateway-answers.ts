import * as v from 'valibot'

// What the routes about the gateway itself answer, as in answers.ts.

const text = v.string()
const names = v.array(text)

export const serverAnswer = v.strictObject({
  version: text,
  auth_method: text,
  api_url: text,
  grpc_url: text,
  tenancy_type: text,
  license_info: v.null(),
  disable_sessions_download: v.boolean(),
})

export const publicServerAnswer = v.strictObject({
  auth_method: text,
  setup_required: v.boolean(),
  sign_in: v.optional(v.array(text)),
})
export const livenessAnswer = v.strictObject({ liveness: text })
export const readinessAnswer = v.strictObject({
  status: v.picklist(['ready', 'degraded']),
  reason: v.optional(text),
  warning: v.optional(text),
})
export const reloadAnswer = v.strictObject({
  changes: v.array(v.strictObject({ setting: text, added: names, removed: names, changed: names })),
  restart_required: names,
})
export const signedInAnswer = v.strictObject({ status: v.literal('ok') })
