import * as v from 'valibot'

const text = v.string()

/** For people. */
export const pageAnswer = v.pipe(text, v.description('a page'))
export const loginAnswer = v.strictObject({ login_url: text })
export const deviceAnswer = v.strictObject({
  device_code: text,
  user_code: text,
  verification_uri: text,
  verification_uri_complete: text,
  expires_in: v.number(),
  interval: v.number(),
})
export const signInTokenAnswer = v.strictObject({ token: text, user: text })
export const waitingAnswer = v.strictObject({ status: v.literal('waiting') })
export const logoutAnswer = v.strictObject({ ended: v.boolean() })
