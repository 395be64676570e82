import { signedInAnswer } from '../openapi/gateway-answers.ts'
import * as answers from '../openapi/sign-in-answers.ts'
import { deviceBody, deviceTokenBody } from '../people/identities/accounts/device.ts'
import { signInBody } from '../people/identities/sign-in.ts'
import { handoverBody } from '../people/identities/accounts/oidc.ts'
import type { Operation, OperationTable } from '../../../contract/operation.ts'

/** What browsers show to people, refusals too. */
const page = {
  tag: 'Gateway',
  role: 'public',
  type: 'text/html',
  answers: {
    ...{ 200: answers.pageAnswer, 403: answers.pageAnswer, 410: answers.pageAnswer },
    ...{ 429: answers.pageAnswer, 502: answers.pageAnswer },
  },
} as const satisfies Partial<Operation>
const redirecting = { ...page.answers, 302: answers.pageAnswer }

const SIGN_IN = { action: 'sign-in', type: 'users' } as const

export const signInOperations: OperationTable = {
  'POST /api/localauth/login': {
    tag: 'Gateway',
    summary: 'Signs in: the name and the token of a user',
    description: 'The token comes back in the header `Token`.',
    role: 'public',
    audit: SIGN_IN,
    body: signInBody,
    answers: { 200: signedInAnswer },
  },
  'GET /api/login': {
    tag: 'Gateway',
    summary: 'Where a person signs in with a browser',
    role: 'public',
    audit: 'none',
    query: {
      redirect: 'an address of the loopback, to which the browser comes in the end with ?token= or ?error=',
      page: '1: for the page of this gateway, in the browser that asks; then the other options are not read',
      challenge: 'SHA-256 of a verifier in base64url: then it comes with ?code=, for POST /api/login/token',
    },
    answers: { 200: answers.loginAnswer },
    errors: [403, 422, 429, 502],
  },
  'GET /api/callback': {
    ...page,
    summary: 'Where the provider sends the browser back',
    audit: SIGN_IN,
    answers: redirecting,
    errors: [500],
  },
  'POST /api/login/token': {
    tag: 'Gateway',
    summary: 'The token of a sign-in, for the command line that has begun it',
    role: 'public',
    audit: SIGN_IN,
    body: handoverBody,
    answers: { 200: answers.signInTokenAnswer },
    errors: [403, 404, 409, 410, 422, 429, 500],
  },
  'POST /api/login/device': {
    tag: 'Gateway',
    summary: 'Begins a sign-in without a browser: a code for a person with one',
    role: 'public',
    audit: 'none',
    body: deviceBody,
    answers: { 200: answers.deviceAnswer },
    errors: [403, 422, 429],
  },
  'POST /api/login/device/token': {
    tag: 'Gateway',
    summary: 'The token, when the person has decided; 202 until then',
    role: 'public',
    audit: SIGN_IN,
    body: deviceTokenBody,
    answers: { 200: answers.signInTokenAnswer, 202: answers.waitingAnswer },
    errors: [403, 404, 409, 410, 422, 429, 500],
  },
  'GET /api/login/device': {
    ...page,
    summary: 'The page for the code',
    audit: 'none',
    query: { code: 'as the command line shows it' },
  },
  'GET /api/login/device/start': {
    ...page,
    summary: 'To the provider, for a code',
    audit: 'none',
    query: { code: 'as the command line shows it' },
    answers: redirecting,
  },
  'POST /api/login/device/decide': { ...page, summary: 'What the person has decided', audit: SIGN_IN },
  'POST /api/logout': {
    tag: 'Gateway',
    summary: 'Ends the sign-in whose token asks',
    role: 'user',
    audit: SIGN_IN,
    answers: { 200: answers.logoutAnswer },
    errors: [500],
  },
}
