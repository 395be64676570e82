import * as v from 'valibot'
import type { Contract, Frozen } from './contract.ts'
import { whoAsks } from './gateway.ts'
import { SIGN_IN_BODY_BYTES } from './sign-in.ts'
import { text } from './words.ts'

const SIGN_IN = { action: 'sign-in', type: 'users' } as const
const given = v.optional(v.pipe(v.string('must be a text'), v.nonEmpty('must not be empty')))

const PageSignInShape = v.strictObject({ ...whoAsks, next: v.nullable(text) })
export type PageSignInAnswer = Frozen<v.InferOutput<typeof PageSignInShape>>

/** What the gateway's own page asks for beside what everybody can ask for. */
export const pageContract = {
  changes: {
    tag: 'Page',
    method: 'GET',
    path: '/api/changes',
    summary: 'Which lists have changed, as server-sent events: topics, and nothing of what is in them',
    description:
      'An event `changed` once a second at most, with `{"topics":["sessions","reviews","batches","schedules","agents"]}`, those of them that have changed, for whomever.',
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
    summary: 'A terminal, as a WebSocket',
    description:
      'Binary frames are bytes of the terminal. Frames of text are JSON: `resize` from the page, the first of which starts the terminal; `waiting`, `approved`, `opened`, `ended` to it.',
    role: 'standard',
    scope: 'connection',
    audit: { action: 'execute', type: 'sessions' },
    answers: { 101: v.strictObject({}) },
    errors: ['connection-not-found', ['invalid-request', 422]],
    isMountedByHand: true,
  },
  signIn: {
    tag: 'Page',
    method: 'POST',
    path: '/api/page/sign-in',
    summary: 'Signs a browser in: with a token, or the code of a link',
    description: 'The sign-in is in a cookie that no script reads. `next`: what the link leads to.',
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
    audit: SIGN_IN,
    answers: { 200: v.strictObject({ ended: v.boolean() }) },
    errors: ['foreign-page', 'history-failed'],
    isMountedByHand: true,
  },
} as const satisfies Contract
