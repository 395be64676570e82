import * as v from 'valibot'
import { needed, type Contract, type Frozen } from './contract.ts'
import { about, moment, nothing, plainOption, seconds, text, time, userName } from './words.ts'

const DAY_SECONDS = 24 * 60 * 60
const YEAR_SECONDS = 366 * DAY_SECONDS

const token = {
  id: about('id of the token', text),
  name: about('name of the token', text),
  user: about('name of the user of the token', text),
  kind: about(
    'personal: a user created it, or gateway.yaml has it; sign-in: a sign-in made it',
    v.picklist(['personal', 'sign-in']),
  ),
  declared: v.pipe(v.boolean(), v.description('whether the token is set in gateway.yaml')),
  status: about(
    'active: it is accepted; expired: also after a sign-out; inactive: its user is not accepted, or the token with which the page was signed in is not accepted',
    v.picklist(['active', 'revoked', 'expired', 'inactive']),
  ),
  created_at: about('when it was created; null for a token of gateway.yaml', time),
  created_by: about('name of the user who created it; null for a token of gateway.yaml', v.nullable(text)),
  expires_at: about('when it expires or expired; null: never', time),
  last_used_at: about('when it was last used, to the minute; null if it never was', time),
  revoked_at: about('when it was revoked; missing if it was not revoked', v.optional(moment)),
  revoked_by: about('name of the user who revoked it; missing if it was not revoked', v.optional(text)),
  replaced_by: about(
    'id of the token that replaced it by rotation; missing if it was not rotated',
    v.optional(text),
  ),
  current: v.pipe(
    v.optional(v.literal(true)),
    v.description(
      'true if the request was sent with this token, or by a browser that was signed in with it; only in the list, missing otherwise',
    ),
  ),
}
const TokenShape = v.strictObject(token)
const IssuedTokenShape = v.strictObject({
  ...token,
  token: needed(v.pipe(text, v.description('the token itself, which no other answer shows'))),
})

/** The details of a token, for users who may see it. */
export type TokenAnswer = Frozen<v.InferOutput<typeof TokenShape>>
/** A new token, with its text. */
export type IssuedTokenAnswer = Frozen<v.InferOutput<typeof IssuedTokenShape>>

/** Null: the token does not expire. */
const lifetime = v.nullable(seconds(1, 100 * YEAR_SECONDS))

const OPERATION = { tag: 'Users', role: 'user', byCookie: 'fresh' } as const

export const tokenContract = {
  list: {
    tag: 'Users',
    method: 'GET',
    path: '/api/tokens',
    summary: 'Lists tokens',
    role: 'user',
    scope: 'read',
    audit: 'none',
    query: { user: plainOption('only tokens of this user') },
    answers: { 200: v.array(TokenShape) },
  },
  create: {
    ...OPERATION,
    method: 'POST',
    path: '/api/tokens',
    summary: 'Creates a token',
    description:
      '`expires_in` is in seconds; without it the token does not expire. Only this answer shows the token.',
    peopleOnly: true,
    scope: 'end',
    audit: { action: 'create', type: 'tokens' },
    body: v.object(
      { name: userName, user: v.nullish(userName), expires_in: v.nullish(lifetime, null) },
      'must be a JSON object',
    ),
    answers: { 201: IssuedTokenShape },
    errors: [
      'sign-in-again',
      'not-permitted',
      'user-not-found',
      'name-taken',
      'too-many-tokens',
      'history-failed',
    ],
  },
  rotate: {
    ...OPERATION,
    method: 'POST',
    path: '/api/tokens/:id/rotate',
    summary: 'Replaces a token with a new one, which only this answer shows',
    description:
      '`overlap`: how long the old token stays valid, in seconds (default: a day). The new token has the lifetime of the old one, unless `expires_in` is given.',
    scope: 'tokens',
    audit: { action: 'update', type: 'tokens' },
    body: v.object(
      { overlap: v.nullish(seconds(0, 90 * DAY_SECONDS), DAY_SECONDS), expires_in: v.nullish(lifetime) },
      'must be a JSON object',
    ),
    bodyReading: { isOptional: true },
    answers: { 201: IssuedTokenShape },
    errors: [
      'sign-in-again',
      'not-permitted',
      'token-not-found',
      'not-rotatable',
      'declared-in-settings',
      'history-failed',
    ],
  },
  revoke: {
    ...OPERATION,
    method: 'DELETE',
    path: '/api/tokens/:id',
    summary: 'Revokes a token, and ends its requests',
    scope: 'tokens',
    audit: { action: 'delete', type: 'tokens', takesAway: true },
    answers: { 204: nothing },
    errors: ['sign-in-again', 'token-not-found', 'declared-in-settings', 'history-failed'],
  },
} as const satisfies Contract
