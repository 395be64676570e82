import * as v from 'valibot'
import { rotationBody, tokenBody } from '../identities/identity-bodies.ts'
import * as answers from '../openapi/identity-answers.ts'
import { emptyAnswer } from '../openapi/answers.ts'
import type { OperationTable } from './operation.ts'

export const identityOperations: OperationTable = {
  'GET /api/tokens': {
    tag: 'Users',
    summary: "Lists one's own tokens, for admins and auditors those of all",
    role: 'user',
    scope: 'read',
    audit: 'none',
    query: { user: 'of this user' },
    answers: { 200: v.array(answers.tokenAnswer) },
  },
  'POST /api/tokens': {
    tag: 'Users',
    summary: "Makes a token: one's own, or for admins anybody's",
    description:
      '`expires_in` is in seconds; without it the token does not expire. The answer alone has the token.',
    role: 'user',
    scope: 'end',
    audit: { action: 'create', type: 'tokens' },
    body: tokenBody,
    answers: { 201: answers.issuedTokenAnswer },
    errors: [403, 404, 409, 422, 500],
  },
  'POST /api/tokens/:id/rotate': {
    tag: 'Users',
    summary: 'Makes a token in place of another, which is accepted for some time more',
    description:
      '`overlap` is in seconds: a day unless given, 0 ends the old one at once. The new one lives as long as the old one was meant to, unless `expires_in` is given.',
    role: 'user',
    scope: 'end',
    audit: { action: 'update', type: 'tokens' },
    body: rotationBody,
    answers: { 201: answers.issuedTokenAnswer },
    errors: [404, 409, 422, 500],
  },
  'DELETE /api/tokens/:id': {
    tag: 'Users',
    summary: 'Revokes a token: it is not accepted any more, and what runs by it ends',
    role: 'user',
    scope: 'end',
    audit: { action: 'delete', type: 'tokens' },
    answers: { 204: emptyAnswer },
    errors: [404, 422, 500],
  },
}
