import * as v from 'valibot'
import { later } from './later.ts'
import { GATEWAY_CODES } from '../wire/gateway-codes.ts'
import { needed, type Contract, type Frozen } from './contract.ts'
import { EXECUTION, sentText } from './executions.ts'
import { about, moment, text, time, wholeCount } from './words.ts'

const DecisionShape = later(() =>
  v.object(
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
      comment: v.nullish(
        v.pipe(sentText, v.maxLength(10_000, 'must not have more than 10000 characters')),
        '',
      ),
      rejection_reason: v.nullish(
        v.pipe(sentText, v.maxLength(10_000, 'must not have more than 10000 characters')),
        '',
      ),
    },
    'must be a JSON object',
  ),
)

export type DecisionBody = Frozen<v.InferOutput<typeof DecisionShape>>

const said = ['PENDING', 'APPROVED', 'REJECTED', 'REVOKED'] as const
const review = later(() => ({
  id: about('id of the review', text),
  type: about(
    'onetime: a script, a runbook or a batch, which runs once; jit: terminals, for some time',
    v.picklist(['onetime', 'jit']),
  ),
  access_duration: about(
    'how long terminals may be used after the approval, in nanoseconds; 0 for onetime',
    v.number(),
  ),
  status: needed(
    about(
      'PENDING: waits for a decision; APPROVED: may run, or open terminals until `revoke_at`; PROCESSING: runs now; EXECUTED: has run; REJECTED: was rejected, withdrawn or not decided in time; REVOKED: was approved, and then revoked, withdrawn, refused or not run in time',
      v.picklist([...said, 'PROCESSING', 'EXECUTED']),
    ),
  ),
  revoke_at: about('when the access to terminals ends; for onetime when it was approved; null before', time),
  created_at: about('when the approval was requested', moment),
  review_groups_data: about(
    'the groups that were asked, and those of other users who forced or rejected, with their decisions',
    v.array(
      v.strictObject({
        id: about('id of the decision of this group', text),
        group: about('name of the group', text),
        status: about('decision of the group; PENDING: none yet', v.picklist(said)),
        reviewed_by: about(
          'the user who decided: `id`, `name` and `email` are the name, `slack_id` is empty; null before',
          v.nullable(v.strictObject({ id: text, name: text, email: text, slack_id: text })),
        ),
        review_date: about('when the group decided; null before', time),
        forced_review: about(
          'whether the decision was forced by a member of `force_approval_groups`',
          v.boolean(),
        ),
        comment: about('comment of the approver; missing without a comment', v.optional(text)),
      }),
    ),
  ),
  time_window: about(
    'time of the day, in UTC, at which an approved script may run; null: at any time',
    v.nullable(
      v.strictObject({
        type: about('kind of the window', v.literal('time_range')),
        configuration: about(
          '`start_time` and `end_time`, as `HH:MM`; a window whose end is not after its start goes over midnight',
          v.strictObject({ start_time: text, end_time: text }),
        ),
      }),
    ),
  ),
  access_request_rule_name: about(
    'path of the rule for runbooks that demands the review; null if the connection demands it, and for a batch with several rules',
    v.nullable(text),
  ),
  min_approvals: about('number of groups that have to approve, unless `needs` says more', wholeCount),
  force_approval_groups: about('groups whose members may approve or reject alone', v.array(text)),
  rejection_reason: about(
    'why it was rejected, withdrawn or revoked, or has expired; missing without a reason',
    v.optional(text),
  ),
  withdrawn_by: about('name of the user who withdrew the request; missing otherwise', v.optional(text)),
  connection: about('name of the connection; of a batch, the first one', text),
  owner: about('name of the requester', text),
  runbook: about(
    'the runbook, with the title that it had at the request; missing for scripts and terminals',
    v.optional(v.strictObject({ file: text, title: v.optional(text) })),
  ),
  expires_at: about(
    'when the request expires if nobody has decided, or if an approved script has not run',
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
    'true if the gateway itself runs it after the approval; missing otherwise',
    v.optional(v.literal(true)),
  ),
  held: about(
    'code and reason why the gateway has not run the approved request yet; missing otherwise',
    v.optional(v.strictObject({ code: v.picklist(GATEWAY_CODES), message: text })),
  ),
  needs: about(
    'sets of groups of which a batch needs approvals, and how many of each; missing for one session',
    v.optional(v.array(v.strictObject({ groups: v.array(text), minimum: wholeCount }))),
  ),
  batch: about(
    'the batch: its id, names of connections wave by wave, maximum of parallel runs, number of failures that stop it; missing for one session',
    v.optional(
      v.strictObject({
        id: text,
        waves: v.array(v.array(text)),
        parallel: wholeCount,
        threshold: wholeCount,
      }),
    ),
  ),
}))

/** The review inside a session, as in hoop's contract, with our fields. */
export const ReviewInSessionShape = later(() => v.strictObject(review))
/** A review by itself also says what the caller may do about it now. */
const ReviewShape = later(() =>
  v.strictObject({
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
  }),
)

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
    answers: { 200: later(() => v.array(ReviewShape)) },
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
    answers: later(() => ({
      200: v.nullable(
        v.strictObject({
          id: about('id of its review', text),
          session: about('id of its session', text),
          owner: about('name of the requester', text),
          connection: about('name of the connection', text),
          ran_at: about('when it began to run', time),
        }),
      ),
    })),
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
