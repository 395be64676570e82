import * as v from 'valibot'
import { GATEWAY_CODES } from '../wire/gateway-codes.ts'
import { needed, type Contract, type Frozen } from './contract.ts'
import { EXECUTION, sentText } from './executions.ts'
import { text, wholeCount } from './words.ts'

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
  id: needed(text),
  type: v.picklist(['onetime', 'jit']),
  access_duration: v.number(),
  status: needed(v.picklist([...said, 'PROCESSING', 'EXECUTED'])),
  revoke_at: v.nullable(text),
  created_at: text,
  review_groups_data: v.array(
    v.strictObject({
      id: text,
      group: text,
      status: v.picklist(said),
      reviewed_by: v.nullable(v.strictObject({ id: text, name: text, email: text, slack_id: text })),
      review_date: v.nullable(text),
      forced_review: v.boolean(),
      // The approver's comment.
      comment: v.optional(text),
    }),
  ),
  time_window: v.nullable(
    v.strictObject({
      type: v.literal('time_range'),
      configuration: v.strictObject({ start_time: text, end_time: text }),
    }),
  ),
  access_request_rule_name: v.nullable(text),
  min_approvals: wholeCount,
  force_approval_groups: v.array(text),
  rejection_reason: v.optional(text),
  connection: text,
  owner: text,
  // Missing for scripts and terminals, and when the requester did not name a runbook.
  runbook: v.optional(v.strictObject({ file: text, title: v.optional(text) })),
  expires_at: text,
  script_sha256: v.optional(text),
  script_hmac_sha256: v.optional(text),
  client_args: v.array(text),
  env_vars: v.array(text),
  // Set when the gateway itself runs the session once it is approved. `held` is the reason why it has not
  // yet.
  when_approved: v.optional(v.literal(true)),
  held: v.optional(v.strictObject({ code: v.picklist(GATEWAY_CODES), message: text })),
  needs: v.optional(v.array(v.strictObject({ groups: v.array(text), minimum: wholeCount }))),
  batch: v.optional(
    v.strictObject({ id: text, waves: v.array(v.array(text)), parallel: wholeCount, threshold: wholeCount }),
  ),
}

/** The review inside a session, as in hoop's contract, with our fields. */
export const ReviewInSessionShape = v.strictObject(review)
/** A review by itself also says what the caller may do about it now. */
const ReviewShape = v.strictObject({
  ...review,
  session: text,
  can: v.strictObject({
    approve: v.boolean(),
    force: v.boolean(),
    reject: v.boolean(),
    revoke: v.boolean(),
    withdraw: v.boolean(),
  }),
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
