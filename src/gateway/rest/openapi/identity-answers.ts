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
