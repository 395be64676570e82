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
    'personal: a user created the token, or it is set in gateway.yaml; sign-in: a sign-in created the token',
    v.picklist(['personal', 'sign-in']),
  ),
  declared: v.pipe(v.boolean(), v.description('whether the token is set in gateway.yaml')),
  status: about(
    'active: the token is accepted; revoked: the token was revoked; expired: the token has expired or its sign-in has ended; inactive: the user of the token is inactive, or the token that signed the page in is not accepted',
    v.picklist(['active', 'revoked', 'expired', 'inactive']),
  ),
  created_at: about('when the token was created; null for a token of gateway.yaml', time),
  created_by: about(
    'name of the user who created the token; null for a token of gateway.yaml',
    v.nullable(text),
  ),
  expires_at: about('when the token expires or expired; null: never', time),
  last_used_at: about('when the token was last used, to the minute; null if it was never used', time),
  revoked_at: about('when the token was revoked; missing if it was not revoked', v.optional(moment)),
  revoked_by: about(
    'name of the user who revoked the token; missing if it was not revoked',
    v.optional(text),
  ),
  replaced_by: about(
    'id of the new token after a rotation; missing if the token was not rotated',
    v.optional(text),
  ),
  for: about(
    'mcp: only /mcp accepts the token; missing for a token that everything else accepts',
    v.optional(v.literal('mcp')),
  ),
  paused_at: about(
    'since when /mcp refuses the token until it is resumed; missing if it is not paused',
    v.optional(moment),
  ),
  paused_by: about('name of the user who paused the token; missing if it is not paused', v.optional(text)),
  current: v.pipe(
    v.optional(v.literal(true)),
    v.description(
      'true if the request was sent with this token, or by a browser that was signed in with this token; only in the list, missing otherwise',
    ),
  ),
}
const TokenShape = v.strictObject(token)
const IssuedTokenShape = v.strictObject({
  ...token,
  token: needed(v.pipe(text, v.description('the token itself, which no other answer shows'))),
})

/** A token as lists show it, without its secret text. */
export type TokenAnswer = Frozen<v.InferOutput<typeof TokenShape>>
/** A new token with its secret text. */
export type IssuedTokenAnswer = Frozen<v.InferOutput<typeof IssuedTokenShape>>

/** Null means that the token does not expire. */
const lifetime = v.nullable(seconds(1, 100 * YEAR_SECONDS))

const OPERATION = { tag: 'Users', role: 'user', byCookie: 'fresh' } as const

const PAUSING_ERRORS = [
  'sign-in-again',
  'token-not-found',
  'declared-in-settings',
  ['invalid-request', 422],
  'history-failed',
] as const

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
      '`expires_in`: lifetime in seconds (default: the token does not expire). `for`: `mcp` makes a token of a machine that only /mcp accepts. Only this answer shows the token.',
    peopleOnly: true,
    scope: 'end',
    audit: { action: 'create', type: 'tokens', verb: 'created a token' },
    body: v.object(
      {
        name: userName,
        user: v.nullish(userName),
        expires_in: v.nullish(lifetime, null),
        for: v.nullish(v.literal('mcp', 'must be mcp')),
      },
      'must be a JSON object',
    ),
    answers: { 201: IssuedTokenShape },
    errors: [
      'sign-in-again',
      'not-permitted',
      'user-not-found',
      'name-taken',
      'too-many-tokens',
      ['invalid-request', 422],
      'history-failed',
    ],
  },
  rotate: {
    ...OPERATION,
    method: 'POST',
    path: '/api/tokens/:id/rotate',
    summary: 'Replaces a token with a new one, which only this answer shows',
    description:
      '`overlap`: time for which the old token stays valid, in seconds (default: a day). `expires_in`: lifetime of the new token in seconds (default: the lifetime of the old token).',
    scope: 'tokens',
    audit: { action: 'update', type: 'tokens', verb: 'rotated a token' },
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
    audit: { action: 'delete', type: 'tokens', verb: 'revoked a token', takesAway: true },
    answers: { 204: nothing },
    errors: ['sign-in-again', 'token-not-found', 'declared-in-settings', 'history-failed'],
  },
  pause: {
    ...OPERATION,
    method: 'POST',
    path: '/api/tokens/:id/pause',
    summary:
      'Pauses a token for mcp and all tokens of its rotations: their runs end, their requests are withdrawn, and their tools refuse',
    scope: 'tokens',
    audit: { action: 'update', type: 'tokens', verb: 'paused a token', takesAway: true },
    answers: { 200: TokenShape },
    errors: PAUSING_ERRORS,
  },
  resume: {
    ...OPERATION,
    method: 'POST',
    path: '/api/tokens/:id/resume',
    summary: 'Resumes a token for mcp and all tokens of its rotations',
    peopleOnly: true,
    scope: 'tokens',
    audit: { action: 'update', type: 'tokens', verb: 'resumed a token' },
    answers: { 200: TokenShape },
    errors: PAUSING_ERRORS,
  },
} as const satisfies Contract
