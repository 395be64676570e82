import * as v from 'valibot'
import { GATEWAY_CODES } from '../wire/gateway-codes.ts'
import { needed, type Contract, type Frozen } from './contract.ts'
import { EXECUTION, sentText } from './executions.ts'
import { about, text, wholeCount } from './words.ts'

const DecisionShape = v.object(
  {
    status: v.pipe(sentText, v.nonEmpty('must not be empty')),
    time_window: v.nullish(
      v.object(
        {
          configuration: v.nullish(
            v.object(
              { start_time: v.nullish(sentText, ''), end_time: v.nullish(sentText, '') },
              'must be an object',
            ),
            {},
          ),
        },
        'must be an object',
      ),
    ),
    force_review: v.nullish(v.boolean('must be true or false'), false),
    comment: v.nullish(v.pipe(sentText, v.maxLength(10_000, 'must not have more than 10000 characters')), ''),
    rejection_reason: v.nullish(
      v.pipe(sentText, v.maxLength(10_000, 'must not have more than 10000 characters')),
      '',
    ),
  },
  'must be a JSON object',
)

export type DecisionBody = Frozen<v.InferOutput<typeof DecisionShape>>

const said = ['PENDING', 'APPROVED', 'REJECTED', 'REVOKED'] as const
const review = {
  id: needed(about('id of the review', text)),
  type: about(
    'onetime: a script or a runbook, which runs once; jit: terminals, for some time',
    v.picklist(['onetime', 'jit']),
  ),
  access_duration: about('how long terminals may be used, nanoseconds; 0 for a script', v.number()),
  status: needed(
    about(
      'PENDING waits for people, APPROVED for its run; PROCESSING while it runs, EXECUTED after the run',
      v.picklist([...said, 'PROCESSING', 'EXECUTED']),
    ),
  ),
  revoke_at: about('when the access to terminals ends', v.nullable(text)),
  created_at: about('when the approval was asked for', text),
  review_groups_data: about(
    'the groups that may approve, with their decisions',
    v.array(
      v.strictObject({
        id: about('id of the decision of this group', text),
        group: about('name of the group', text),
        status: about('decision of the group', v.picklist(said)),
        reviewed_by: about(
          'the user who decided; all four fields are made of the name',
          v.nullable(v.strictObject({ id: text, name: text, email: text, slack_id: text })),
        ),
        review_date: about('when the group decided', v.nullable(text)),
        forced_review: about('whether the approval was forced', v.boolean()),
        comment: about('comment of the approver', v.optional(text)),
      }),
    ),
  ),
  time_window: about(
    'hours of the day in which an approved script may run, UTC; null: at any time',
    v.nullable(
      v.strictObject({
        type: about('the kind of window', v.literal('time_range')),
        configuration: about(
          '`start_time` and `end_time`, `HH:MM`; the end may be after midnight',
          v.strictObject({ start_time: text, end_time: text }),
        ),
      }),
    ),
  ),
  access_request_rule_name: about(
    "path of the runbooks' rule; null for the connection's own rule",
    v.nullable(text),
  ),
  min_approvals: about('number of groups that have to approve', wholeCount),
  force_approval_groups: about('groups that may approve alone', v.array(text)),
  rejection_reason: about('reason of a rejection', v.optional(text)),
  withdrawn_by: about('who has withdrawn the request; missing otherwise', v.optional(text)),
  connection: about('name of the connection', text),
  owner: about('name of the requester', text),
  runbook: about(
    'the runbook, with the title that it had at the request; missing for scripts and terminals',
    v.optional(v.strictObject({ file: text, title: v.optional(text) })),
  ),
  expires_at: about('when the request ends unless it is decided or run', text),
  script_sha256: about('SHA-256 of the script that will run, in hex', v.optional(text)),
  script_hmac_sha256: about(
    'keyed hash of the script in its place, if the script contains secrets',
    v.optional(text),
  ),
  client_args: about('arguments of the request, with secrets replaced', v.array(text)),
  env_vars: about('names of the variables of the request', v.array(text)),
  when_approved: about('true if the gateway itself runs it after the approval', v.optional(v.literal(true))),
  held: about(
    'code and reason why the gateway has not run it yet',
    v.optional(v.strictObject({ code: v.picklist(GATEWAY_CODES), message: text })),
  ),
  needs: about(
    'approvals that a batch needs of each set of groups',
    v.optional(v.array(v.strictObject({ groups: v.array(text), minimum: wholeCount }))),
  ),
  batch: about(
    'the batch: its id, connections wave by wave, parallel runs, failures that stop it',
    v.optional(
      v.strictObject({
        id: text,
        waves: v.array(v.array(text)),
        parallel: wholeCount,
        threshold: wholeCount,
      }),
    ),
  ),
}

/** The review inside a session, as in hoop's contract, with our fields. */
export const ReviewInSessionShape = v.strictObject(review)
/** A review by itself also says what the caller may do about it now. */
const ReviewShape = v.strictObject({
  ...review,
  session: about('id of the session', text),
  can: about(
    'what the caller may do about it now',
    v.strictObject({
      approve: v.boolean(),
      force: v.boolean(),
      reject: v.boolean(),
      revoke: v.boolean(),
      withdraw: v.boolean(),
    }),
  ),
})

export type ReviewInSession = Frozen<v.InferOutput<typeof ReviewInSessionShape>>
export type ReviewAnswer = Frozen<v.InferOutput<typeof ReviewShape>>

const READ = {
  tag: 'Reviews',
  method: 'GET',
  role: 'user',
  scope: 'concerned',
  audit: { action: 'view', type: 'reviews' },
} as const
const DECISION = {
  tag: 'Reviews',
  method: 'PUT',
  summary: 'Approves, rejects or revokes a request',
  description: '`status` is APPROVED, REJECTED or REVOKED.',
  role: 'standard',
  scope: 'concerned',
  audit: { action: 'decide', type: 'reviews' },
  body: DecisionShape,
  answers: { 200: ReviewShape },
  errors: ['review-not-found', 'review-wrong-state', 'not-eligible', 'history-failed'],
} as const

export const reviewContract = {
  list: {
    ...READ,
    path: '/api/reviews',
    summary: 'Lists reviews, the newest first',
    answers: { 200: v.array(ReviewShape) },
    errors: ['history-failed'],
  },
  show: {
    ...READ,
    path: '/api/reviews/:id',
    summary: 'Shows a review, by the id of the review or of its session',
    answers: { 200: ReviewShape },
    errors: ['review-not-found', 'history-failed'],
  },
  previous: {
    ...READ,
    path: '/api/reviews/:id/previous',
    summary: 'Shows the last approved run of the same runbook before this request; null if there is none',
    description: 'The script and the parameters of that run are in its session.',
    answers: {
      200: v.nullable(
        v.strictObject({ id: text, session: text, owner: text, connection: text, ran_at: v.nullable(text) }),
      ),
    },
    errors: ['review-not-found', 'history-failed'],
  },
  exec: {
    ...EXECUTION,
    tag: 'Reviews',
    path: '/api/sessions/:id/exec',
    summary: 'Runs an approved session, once',
    scope: 'end',
    audit: { action: 'run', type: 'sessions' },
    errors: [
      ...EXECUTION.errors,
      'not-permitted',
      'review-not-found',
      'session-not-found',
      ['review-wrong-state', 403],
      'outside-time-window',
      'already-processing',
    ],
  },
  decide: { ...DECISION, path: '/api/reviews/:id' },
  decideOfSession: { ...DECISION, path: '/api/sessions/:id/review' },
} as const satisfies Contract
