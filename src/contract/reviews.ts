import * as v from 'valibot'
import { machineShape } from './mcp.ts'
import { GATEWAY_CODES } from '../wire/gateway-codes.ts'
import { needed, type Contract, type Frozen } from './contract.ts'
import { EXECUTION, OF_CHOICES, sentText } from './executions.ts'
import { FACTS_OF_ONE_REVIEW, FACTS_OF_REVIEW, PreviousRunShape } from './review-facts.ts'
import { about, moment, text, time, wholeCount } from './words.ts'

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
  id: about('id of the review', text),
  type: about(
    'onetime: a script, a runbook or a batch, which may run once; jit: terminals, which may be opened for some time',
    v.picklist(['onetime', 'jit']),
  ),
  access_duration: about(
    'time for which terminals may be used after the approval, in nanoseconds; 0 for onetime',
    v.number(),
  ),
  status: needed(
    about(
      'PENDING: the request waits for a decision; APPROVED: the request may run, or terminals may be opened until `revoke_at`; PROCESSING: the request runs; EXECUTED: the request has run; REJECTED: the request was rejected, withdrawn or not decided in time; REVOKED: the request was approved, and then revoked, withdrawn, refused or not run in time',
      v.picklist([...said, 'PROCESSING', 'EXECUTED']),
    ),
  ),
  revoke_at: about(
    'when the access to terminals ends; for onetime, when the request was approved; null before',
    time,
  ),
  created_at: about('when the approval was requested', moment),
  review_groups_data: about(
    'each group that was asked, or whose member forced or rejected the request, with the decision of the group',
    v.array(
      v.strictObject({
        id: about('id of the decision of this group', text),
        group: about('name of the group', text),
        status: about('decision of the group; PENDING: the group has not decided', v.picklist(said)),
        reviewed_by: about(
          'the user who decided: `id`, `name` and `email` are the name of the user, `slack_id` is empty; null before the decision',
          v.nullable(v.strictObject({ id: text, name: text, email: text, slack_id: text })),
        ),
        review_date: about('when the group decided; null before the decision', time),
        forced_review: about(
          'whether the decision was forced by a member of `force_approval_groups`',
          v.boolean(),
        ),
        comment: about('comment of the approver; missing if there is no comment', v.optional(text)),
      }),
    ),
  ),
  time_window: about(
    'time of day, in UTC, at which an approved script may run; null: at any time',
    v.nullable(
      v.strictObject({
        type: about('kind of the window', v.literal('time_range')),
        configuration: about(
          '`start_time` and `end_time`, as `HH:MM`; if the end is not after the start, the window contains midnight',
          v.strictObject({ start_time: text, end_time: text }),
        ),
      }),
    ),
  ),
  access_request_rule_name: about(
    'path of the rule for runbooks that requires the review; null if the setting `review` of the connection requires it, and for a batch with several rules',
    v.nullable(text),
  ),
  min_approvals: about('minimum number of groups that have to approve; `needs` may require more', wholeCount),
  force_approval_groups: about('groups whose members may approve or reject alone', v.array(text)),
  rejection_reason: about(
    'why the request was rejected, withdrawn or revoked, or has expired; missing if there is no reason',
    v.optional(text),
  ),
  withdrawn_by: about('name of the user who withdrew the request; missing otherwise', v.optional(text)),
  connection: about('name of the connection; for a batch, the first connection', text),
  owner: about('name of the requester', text),
  ...machineShape,
  reason: about(
    'why the requester asks, with secrets replaced; missing if the requester gave no reason',
    v.optional(text),
  ),
  runbook: about(
    'path and title of the runbook at the time of the request; missing for scripts and terminals',
    v.optional(v.strictObject({ file: text, title: v.optional(text) })),
  ),
  expires_at: about(
    'when the request expires, if it is not decided, or if an approved script has not run',
    moment,
  ),
  script_sha256: about(
    'SHA-256 of the script that will run, in hex; missing if the script contains secrets',
    v.optional(text),
  ),
  script_hmac_sha256: about(
    'keyed hash of a script that contains secrets, in hex; missing for other scripts',
    v.optional(text),
  ),
  client_args: about('arguments of the request, with secrets replaced', v.array(text)),
  env_vars: about(
    'names of the variables of the request, as `envvar:NAME` or `filesystem:NAME`',
    v.array(text),
  ),
  when_approved: about(
    'true if the gateway runs the request as soon as it is approved; missing otherwise',
    v.optional(v.literal(true)),
  ),
  held: about(
    'code and reason why the gateway has not run the approved request yet; missing otherwise',
    v.optional(v.strictObject({ code: v.picklist(GATEWAY_CODES), message: text })),
  ),
  needs: about(
    'for a batch, sets of groups, each with the minimum number of its groups that have to approve; missing for a single session',
    v.optional(v.array(v.strictObject({ groups: v.array(text), minimum: wholeCount }))),
  ),
  batch: about(
    'the batch: its id, names of connections wave by wave, number of connections, maximum number of parallel runs, number of failures that stop the batch; missing for a single session',
    v.optional(
      v.strictObject({
        id: text,
        waves: v.array(v.array(text)),
        connections: wholeCount,
        parallel: wholeCount,
        threshold: wholeCount,
      }),
    ),
  ),
  is_shortened: about(
    'true if long parts are left out, otherwise missing: of a review above 4 KiB in a list of reviews or sessions, arguments, names of variables, comments, texts above 512 bytes and the names in `batch` are left out; `GET /api/reviews/ID` has everything, unless a repair of the history has lost it: then no approval is accepted',
    v.optional(v.literal(true)),
  ),
}

/** A review with the fields of hoop's contract and fields of ours. */
export const ReviewInSessionShape = v.strictObject(review)
/** A review with `can`: the decisions that the caller may make now. */
const ReviewShape = v.strictObject({
  ...review,
  id: needed(review.id),
  session: about('id of the session', text),
  can: about(
    'the decisions that the gateway would accept from the caller now',
    v.strictObject({
      approve: v.boolean(),
      force: v.boolean(),
      reject: v.boolean(),
      revoke: v.boolean(),
      withdraw: v.boolean(),
    }),
  ),
  ...FACTS_OF_REVIEW,
  ...FACTS_OF_ONE_REVIEW,
})

export type ReviewInSession = Frozen<v.InferOutput<typeof ReviewInSessionShape>>
export type ReviewAnswer = Frozen<v.InferOutput<typeof ReviewShape>>

const READ = {
  tag: 'Reviews',
  method: 'GET',
  role: 'user',
  scope: 'concerned',
} as const
const VIEW = { action: 'view', type: 'reviews' } as const
const DECISION = {
  tag: 'Reviews',
  method: 'PUT',
  summary: 'Approves, rejects or revokes a request',
  description: '`status` is APPROVED, REJECTED or REVOKED.',
  role: 'standard',
  scope: 'concerned',
  audit: {
    action: 'decide',
    type: 'reviews',
    verb: {
      field: 'status',
      values: {
        APPROVED: 'approved a request',
        REJECTED: 'rejected a request',
        REVOKED: 'revoked a request',
      },
      otherwise: 'decided on a request',
    },
  },
  body: DecisionShape,
  answers: { 200: ReviewShape },
  errors: ['review-not-found', 'review-wrong-state', 'not-eligible', 'history-failed'],
} as const

export const reviewContract = {
  list: {
    ...READ,
    path: '/api/reviews',
    audit: { ...VIEW, verb: 'looked at requests' },
    summary: 'Lists reviews, the newest first',
    answers: { 200: v.array(ReviewShape) },
    errors: ['history-failed'],
  },
  show: {
    ...READ,
    path: '/api/reviews/:id',
    audit: { ...VIEW, verb: 'looked at a request' },
    summary: 'Shows a review, by the id of the review or of its session',
    answers: { 200: ReviewShape },
    errors: ['review-not-found', 'history-failed'],
  },
  previous: {
    ...READ,
    path: '/api/reviews/:id/previous',
    audit: { ...VIEW, verb: 'looked at the run before a request' },
    summary:
      'Shows the last approved run of the same runbook before this request; null if there is no such run',
    description: 'The script and the parameters of that run are in its session.',
    answers: { 200: PreviousRunShape },
    errors: ['review-not-found', 'history-failed'],
  },
  exec: {
    ...EXECUTION,
    tag: 'Reviews',
    path: '/api/sessions/:id/exec',
    summary: 'Runs an approved session; a session can be run only once',
    scope: 'end',
    audit: { action: 'run', type: 'sessions', verb: 'ran an approved request' },
    errors: [
      ...EXECUTION.errors,
      ...OF_CHOICES,
      'first-void',
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
