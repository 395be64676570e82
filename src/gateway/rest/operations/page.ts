import { emptyAnswer, plainText } from '../openapi/answers.ts'
import * as answers from '../openapi/page-answers.ts'
import { logoutAnswer } from '../openapi/sign-in-answers.ts'
import { pageSignInBody } from '../page/sign-in.ts'
import type { OperationTable } from '../../../contract/operation.ts'

const SIGN_IN = { action: 'sign-in', type: 'users' } as const

export const pageOperations: OperationTable = {
  'GET /api/changes': {
    tag: 'Page',
    summary: 'Which lists have changed, as server-sent events: topics, and nothing of what is in them',
    description:
      'An event `changed` once a second at most, with `{"topics":["sessions","reviews","batches","schedules","agents"]}`, those of them that have changed, for whomever.',
    role: 'user',
    audit: 'none',
    answers: { 200: plainText },
    type: 'text/event-stream',
    errors: [500],
  },
  'GET /api/connections/:name/terminal': {
    tag: 'Page',
    summary: 'A terminal, as a WebSocket',
    description:
      'Binary frames are bytes of the terminal. Frames of text are JSON: `resize` from the page, the first of which starts the terminal; `waiting`, `approved`, `opened`, `ended` to it.',
    role: 'standard',
    scope: 'connection',
    audit: { action: 'execute', type: 'sessions' },
    answers: { 101: emptyAnswer },
    errors: [404, 422],
  },
  'POST /api/page/sign-in': {
    tag: 'Page',
    summary: 'Signs a browser in: with a token, or the code of a link',
    description: 'The sign-in is in a cookie that no script reads. `next`: what the link leads to.',
    role: 'public',
    audit: SIGN_IN,
    body: pageSignInBody,
    answers: { 200: answers.pageSignInAnswer },
    errors: [403, 410, 500],
  },
  'POST /api/page/sign-out': {
    tag: 'Page',
    summary: 'Ends the sign-in of this browser',
    role: 'public',
    audit: SIGN_IN,
    answers: { 200: logoutAnswer },
    errors: [403, 500],
  },
}
