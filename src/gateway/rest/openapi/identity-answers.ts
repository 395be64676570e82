import * as v from 'valibot'

// What is answered about users and tokens. Times are RFC 3339 in UTC.

const text = v.string()
const time = v.nullable(text)

const token = {
  ...{ id: text, name: text, user: text },
  kind: v.picklist(['personal', 'sign-in']),
  declared: v.pipe(v.boolean(), v.description('it stands in gateway.yaml')),
  status: v.picklist(['active', 'revoked', 'expired', 'inactive']),
  ...{ created_at: time, created_by: v.nullable(text), expires_at: time, last_used_at: time },
  ...{ revoked_at: v.optional(text), revoked_by: v.optional(text), replaced_by: v.optional(text) },
}

export const tokenAnswer = v.strictObject(token)
export const issuedTokenAnswer = v.strictObject({
  ...token,
  token: v.pipe(text, v.description('the token itself, here alone')),
})

const budget = v.strictObject({
  ...{ runs: v.number(), bytes: v.nullable(v.number()), hours: v.nullable(v.number()) },
  per: v.pipe(v.number(), v.description('seconds')),
})

export const userListAnswer = v.strictObject({
  ...{ id: text, name: text, email: text, status: v.picklist(['active', 'inactive']), verified: v.boolean() },
  role: v.picklist(['admin', 'standard']),
  ...{ slack_id: text, picture: text, groups: v.array(text), kind: v.picklist(['person', 'machine']) },
  declared: v.pipe(v.boolean(), v.description('in gateway.yaml')),
  budget: v.nullable(budget),
  ...{ created_at: time, created_by: v.nullable(text), warning: v.optional(text) },
})

export const serviceAccountAnswer = v.strictObject({
  ...{ id: text, org_id: text, subject: text, name: text, groups: v.array(text) },
  status: v.picklist(['active', 'inactive']),
})

const apiKey = {
  ...{ id: text, org_id: text, name: text, masked_key: text, groups: v.array(text) },
  ...{ status: v.picklist(['active', 'revoked']), created_by: text, created_at: time },
  ...{ deactivated_by: v.optional(text), deactivated_at: v.optional(text), last_used_at: v.optional(text) },
}
export const apiKeyAnswer = v.strictObject(apiKey)
export const issuedApiKeyAnswer = v.strictObject({ ...apiKey, key: text })

export const userFields = {
  id: text,
  name: text,
  email: text,
  status: v.literal('active'),
  verified: v.boolean(),
  role: v.picklist(['admin', 'auditor', 'standard']),
  kind: v.picklist(['person', 'machine']),
  ...{ groups: v.array(text), slack_id: text, picture: text },
  is_admin: v.boolean(),
  is_multitenant: v.boolean(),
  tenancy_type: text,
  ...{ org_id: text, org_name: text, org_license: text },
  ...{ feature_ask_ai: v.literal('unavailable'), webapp_users_management: v.literal('on') },
  ...{ intercom_hmac_digest: text, default_protection_profile: v.null() },
  ...{ show_origin_survey: v.literal(false), show_setup_checklist: v.literal(false) },
  token: v.strictObject({
    ...{ id: text, name: text, kind: v.picklist(['personal', 'sign-in']) },
    expires_at: v.nullable(text),
  }),
}
/** Of whoever asks. */
export const userAnswer = v.strictObject(userFields)
