import * as v from 'valibot'

// What is answered about who asks. Times are RFC 3339 in UTC.

const text = v.string()

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
