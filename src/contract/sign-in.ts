import * as v from 'valibot'
import { needed, type Contract, type Frozen } from './contract.ts'
import { whoAsks } from './gateway.ts'
import { about, plainOption, text } from './words.ts'

/** The maximum size of a body from a caller without a token, in bytes. */
export const SIGN_IN_BODY_BYTES = 8 * 1024

const SIGN_IN = { action: 'sign-in', type: 'users', verb: 'signed in' } as const
const SIGN_OUT = { ...SIGN_IN, verb: 'signed out' } as const
const OPEN = { tag: 'Gateway', role: 'public', bodyReading: { most: SIGN_IN_BODY_BYTES } } as const

const required = v.pipe(v.string('must be a string'), v.nonEmpty('must not be empty'))
const word = v.pipe(v.string('must be a string'), v.regex(/^[\x21-\x7e]{1,200}$/, 'must be one word'))
const upTo200 = v.pipe(v.string('must be a string'), v.maxLength(200, 'is too long'))

/** In these requests, the email is the user's name, and the password is the token. */
export const localSignInContract = {
  signIn: {
    ...OPEN,
    method: 'POST',
    path: '/api/localauth/login',
    summary: 'Signs in with the name and the token of a user',
    description: 'The header `Token` of the answer has the token.',
    audit: SIGN_IN,
    body: v.object({ email: required, password: required }, 'must be a JSON object'),
    answers: { 200: v.strictObject({ status: v.literal('ok') }) },
  },
  signOut: {
    tag: 'Gateway',
    method: 'POST',
    path: '/api/logout',
    summary: 'Ends the sign-in of the token of the request; other tokens stay valid',
    role: 'user',
    audit: SIGN_OUT,
    answers: { 200: v.strictObject({ ended: v.boolean() }) },
    errors: ['history-failed'],
  },
} as const satisfies Contract

const TokenShape = v.strictObject({
  token: needed(about('the new token', text)),
  user: about('name of the user of the token', text),
})

// Pages for people. A refusal is answered with a page, too.
const page = v.pipe(text, v.description('a page'))
const PAGE = {
  tag: 'Gateway',
  role: 'public',
  type: 'text/html',
  answers: { 200: page, 403: page, 410: page, 429: page, 502: page },
} as const
const redirecting = { ...PAGE.answers, 302: page }

const NOT_TAKEN = [
  'sign-in-refused',
  'user-not-found',
  'name-taken',
  'sign-in-expired',
  'too-many-tokens',
  'too-much-at-once',
  'history-failed',
] as const

/** Sign-in with an external account. */
export const browserSignInContract = {
  begin: {
    tag: 'Gateway',
    method: 'GET',
    path: '/api/login',
    summary: 'Returns the address where a person signs in with a browser',
    role: 'public',
    audit: 'none',
    query: {
      redirect: plainOption(
        'loopback address to which the browser is redirected at the end, with ?token= or ?error=',
      ),
      page: plainOption('1: signs the browser in to the page of this gateway, and ignores the other options'),
      challenge: plainOption(
        'SHA-256 of a verifier in base64url; the browser is then redirected with ?code= instead of ?token=, for POST /api/login/token',
      ),
    },
    answers: { 200: v.strictObject({ login_url: needed(about('address for the browser', text)) }) },
    errors: ['not-permitted', ['invalid-request', 422], 'too-much-at-once', 'sign-in-failed'],
    isMountedByHand: true,
  },
  callback: {
    ...PAGE,
    method: 'GET',
    path: '/api/callback',
    summary: 'Completes a sign-in after the provider has sent the browser back',
    audit: SIGN_IN,
    answers: redirecting,
    errors: ['history-failed'],
  },
  /** Completes a sign-in by its `challenge`. */
  take: {
    ...OPEN,
    method: 'POST',
    path: '/api/login/token',
    summary:
      'Returns the token of a sign-in to the command line that began the sign-in, only once and within a minute',
    audit: SIGN_IN,
    body: v.object({ code: word, verifier: word }, 'must be a JSON object'),
    answers: { 200: TokenShape },
    errors: NOT_TAKEN,
  },
} as const satisfies Contract

const CODE = { code: plainOption('code that the command line shows') }

/**
 * Sign-in for a command line without a browser. The command line polls until a person has decided in any
 * browser.
 */
export const deviceSignInContract = {
  begin: {
    ...OPEN,
    method: 'POST',
    path: '/api/login/device',
    summary: 'Begins a sign-in on a machine without a browser: returns a code for another browser',
    audit: 'none',
    body: v.object({ says: v.optional(upTo200, '') }, 'must be a JSON object'),
    bodyReading: { most: SIGN_IN_BODY_BYTES, isOptional: true },
    answers: {
      200: v.strictObject({
        device_code: needed(about('secret code with which the command line asks for the token', text)),
        user_code: needed(about('code that the person enters on the page', text)),
        verification_uri: about('address of the page where the person enters the code', text),
        verification_uri_complete: needed(about('the same address, with the code', text)),
        expires_in: needed(about('seconds until the codes expire', v.number())),
        interval: needed(about('seconds between two requests for the token', v.number())),
      }),
    },
    errors: ['not-permitted', ['invalid-request', 422], 'too-much-at-once'],
  },
  take: {
    ...OPEN,
    method: 'POST',
    path: '/api/login/device/token',
    summary: 'Returns the token after the person has decided, only once; answers 202 before the decision',
    audit: SIGN_IN,
    body: v.object({ device_code: upTo200 }, 'must be a JSON object'),
    answers: { 200: TokenShape, 202: v.strictObject({ status: v.literal('waiting') }) },
    errors: NOT_TAKEN,
  },
  page: {
    ...PAGE,
    method: 'GET',
    path: '/api/login/device',
    summary: 'Shows the page where the person enters the code',
    audit: 'none',
    query: CODE,
  },
  start: {
    ...PAGE,
    method: 'GET',
    path: '/api/login/device/start',
    summary: 'Redirects the browser to the sign-in provider, for a sign-in with a code',
    audit: 'none',
    query: CODE,
    answers: redirecting,
  },
  decide: {
    ...PAGE,
    method: 'POST',
    path: '/api/login/device/decide',
    summary: 'Records the decision of the person',
    audit: { ...SIGN_IN, verb: 'decided on a sign-in' },
    errors: [['too-large', 413]],
  },
} as const satisfies Contract

const given = v.optional(v.pipe(v.string('must be a string'), v.nonEmpty('must not be empty')))

const PageSignInShape = v.strictObject({
  ...whoAsks,
  next: about('path of the page that the link leads to; null without a link', v.nullable(text)),
})
export type PageSignInAnswer = Frozen<v.InferOutput<typeof PageSignInShape>>

/** Requests that only the page of the gateway sends. */
export const pageContract = {
  changes: {
    tag: 'Page',
    method: 'GET',
    path: '/api/changes',
    summary: 'Streams the names of lists that have changed, as server-sent events',
    description:
      'The stream has an event `changed`, at most once a second, with the topics that have changed: `{"topics":["sessions","reviews","batches","schedules","agents"]}`.',
    role: 'user',
    audit: 'none',
    answers: { 200: v.pipe(text, v.description('text/plain')) },
    type: 'text/event-stream',
    errors: ['too-many-clients', 'history-failed'],
  },
  terminal: {
    tag: 'Page',
    method: 'GET',
    path: '/api/connections/:name/terminal',
    summary: 'Opens a terminal, as a WebSocket',
    description: 'Binary frames are the bytes of the terminal, text frames are JSON.',
    role: 'standard',
    scope: 'connection',
    audit: { action: 'execute', type: 'sessions', verb: 'opened a terminal' },
    answers: { 101: v.strictObject({}) },
    errors: ['connection-not-found', ['invalid-request', 422]],
    isMountedByHand: true,
  },
  signIn: {
    tag: 'Page',
    method: 'POST',
    path: '/api/page/sign-in',
    summary: 'Signs a browser in with a token, or with the code of a link',
    description:
      'The answer sets a cookie that scripts cannot read. `next` is the path that the link leads to.',
    role: 'public',
    audit: SIGN_IN,
    body: v.pipe(
      v.object({ token: given, code: given }, 'must be a JSON object'),
      v.check(
        ({ token, code }) => (token === undefined) !== (code === undefined),
        'must have a token, or a code',
      ),
    ),
    bodyReading: { most: SIGN_IN_BODY_BYTES },
    answers: { 200: PageSignInShape },
    errors: ['foreign-page', 'sign-in-expired', 'history-failed'],
    isMountedByHand: true,
  },
  signOut: {
    tag: 'Page',
    method: 'POST',
    path: '/api/page/sign-out',
    summary: 'Ends the sign-in of this browser',
    role: 'public',
    audit: SIGN_OUT,
    answers: { 200: v.strictObject({ ended: v.boolean() }) },
    errors: ['foreign-page', 'history-failed'],
    isMountedByHand: true,
  },
} as const satisfies Contract
