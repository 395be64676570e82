import * as v from 'valibot'
import { type Contract, type Frozen } from './contract.ts'
import { about, nothing, seconds, text, time, userName } from './words.ts'

const DAY_SECONDS = 24 * 60 * 60

/** The limits of a machine. They count in each period of the length `per`. */
export const BudgetShape = v.strictObject({
  runs: about('maximum number of sessions', v.number()),
  bytes: about('maximum number of bytes of output; null: unlimited', v.nullable(v.number())),
  hours: about(
    'maximum hours of execution, without the wait for approval; null: unlimited',
    v.nullable(v.number()),
  ),
  per: v.pipe(v.number(), v.description('length of the period, in seconds')),
})

const UserShape = v.strictObject({
  id: about('the same as `name`', text),
  name: about('name of the user', text),
  email: about('the same as `name`', text),
  status: about('inactive: no token of the user is accepted', v.picklist(['active', 'inactive'])),
  verified: about('always true; clients of hoop expect this field', v.boolean()),
  role: about(
    'admin: a member of the group `admin`; standard: every other user',
    v.picklist(['admin', 'standard']),
  ),
  slack_id: about('always empty', text),
  picture: about('always empty', text),
  groups: about('names of the groups of the user', v.array(text)),
  kind: about('whether the user is a person or a machine', v.picklist(['person', 'machine'])),
  declared: v.pipe(v.boolean(), v.description('whether the user is set in gateway.yaml')),
  budget: about('limits of a machine in each period; null if there is no budget', v.nullable(BudgetShape)),
  created_at: about('when the user was created; null for a user of gateway.yaml', time),
  created_by: about(
    'name of the user who created this user, or `oidc:` and an account; null for a user of gateway.yaml',
    v.nullable(text),
  ),
  warning: about(
    'set if a user of gateway.yaml replaces a user with the same name who was created over REST or by a sign-in; missing otherwise',
    v.optional(text),
  ),
})

const GroupShape = v.strictObject({ name: text })

/** A user with hoop's fields, followed by ours. */
export type UserAnswer = Frozen<v.InferOutput<typeof UserShape>>

const groupName = v.pipe(
  v.string('must be a string'),
  v.regex(
    /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}$/,
    'must be 1 to 100 letters, digits, dots, underscores or hyphens',
  ),
)
export const groupList = v.pipe(
  v.array(groupName, 'must be a list of texts'),
  v.maxLength(100, 'must not have more than 100 groups'),
)
const count = (most: number) =>
  v.pipe(
    v.number('must be a number'),
    v.integer('must be a whole number'),
    v.minValue(1, 'must be at least 1'),
    v.maxValue(most, `must be at most ${most}`),
  )

/** The budget as in gateway.yaml, but with `per` in seconds. */
const BudgetBody = v.object(
  {
    runs: v.nullish(count(10_000), 10_000),
    bytes: v.nullish(count(2 ** 50)),
    hours: v.nullish(
      v.pipe(
        v.number('must be a number'),
        v.minValue(0.001, 'must be at least 0.001'),
        v.maxValue(100_000, 'must be at most 100000'),
      ),
    ),
    per: v.nullish(seconds(60, 31 * DAY_SECONDS), DAY_SECONDS),
  },
  'must be a JSON object',
)
export type BudgetAsked = Frozen<v.InferOutput<typeof BudgetBody>>

const READ = { tag: 'Users', method: 'GET', role: 'user', audit: 'none' } as const
/** Machines are refused, because a machine that changes identities could become another user. */
const CHANGE = { tag: 'Users', role: 'admin', byCookie: 'fresh', peopleOnly: true } as const

export const userContract = {
  list: {
    ...READ,
    path: '/api/users',
    summary: 'Lists users, those of gateway.yaml first',
    answers: { 200: v.array(UserShape) },
  },
  show: {
    ...READ,
    path: '/api/users/:name',
    summary: 'Shows a user',
    answers: { 200: UserShape },
    errors: ['user-not-found'],
  },
  create: {
    ...CHANGE,
    method: 'POST',
    path: '/api/users',
    summary: 'Creates a user, who has no token yet',
    description:
      '`email` is the name of the user. With `take_over` the user gets the sessions of an earlier user with the same name.',
    audit: { action: 'create', type: 'users', verb: 'created a user' },
    // hoop's field `name` is only displayed.
    body: v.object(
      {
        email: userName,
        kind: v.nullish(v.picklist(['person', 'machine'], 'must be person or machine'), 'person'),
        groups: v.nullish(groupList, []),
        budget: v.nullish(BudgetBody),
        take_over: v.nullish(v.boolean('must be true or false'), false),
        password: v.nullish(v.string('must be a string')),
      },
      'must be a JSON object',
    ),
    bodyReading: { unprocessable: ['email'] },
    answers: { 201: UserShape },
    errors: ['sign-in-again', 'name-taken', 'too-many-tokens', ['invalid-request', 422], 'history-failed'],
  },
  change: {
    ...CHANGE,
    method: 'PUT',
    path: '/api/users/:name',
    summary: 'Changes the given properties of a user',
    description:
      "If the new status is `inactive`, the gateway refuses the tokens of the user and ends the user's streams.",
    audit: {
      action: 'update',
      type: 'users',
      verb: {
        field: 'status',
        values: { active: 'activated a user', inactive: 'deactivated a user' },
        otherwise: 'changed a user',
      },
    },
    body: v.object(
      {
        status: v.nullish(v.picklist(['active', 'inactive'], 'must be active or inactive')),
        groups: v.nullish(groupList),
        budget: v.optional(v.nullable(BudgetBody)),
      },
      'must be a JSON object',
    ),
    answers: { 200: UserShape },
    errors: [
      'sign-in-again',
      'user-not-found',
      'declared-in-settings',
      'not-yourself',
      ['invalid-request', 422],
      'history-failed',
    ],
  },
  remove: {
    ...CHANGE,
    method: 'DELETE',
    path: '/api/users/:name',
    summary: 'Deletes a user and all their tokens; sessions keep the name of the user',
    audit: { action: 'delete', type: 'users', verb: 'deleted a user' },
    answers: { 204: nothing },
    errors: ['sign-in-again', 'user-not-found', 'declared-in-settings', 'not-yourself', 'history-failed'],
  },
  groups: {
    ...READ,
    path: '/api/users/groups',
    summary: 'Lists groups, also those without users',
    answers: { 200: v.array(text) },
    errors: ['history-failed'],
  },
  addGroup: {
    ...CHANGE,
    method: 'POST',
    path: '/api/users/groups',
    summary: 'Creates a group without users',
    audit: { action: 'create', type: 'user_groups', verb: 'created a group' },
    body: v.object({ name: groupName }, 'must be a JSON object'),
    answers: { 201: GroupShape },
    errors: ['sign-in-again', 'name-taken', 'history-failed'],
  },
  removeGroup: {
    ...CHANGE,
    method: 'DELETE',
    path: '/api/users/groups/:name',
    summary: 'Deletes a group, and removes all users from it',
    audit: { action: 'delete', type: 'user_groups', verb: 'deleted a group' },
    answers: { 204: nothing },
    errors: [
      'sign-in-again',
      'group-not-found',
      'declared-in-settings',
      ['invalid-request', 422],
      'history-failed',
    ],
  },
} as const satisfies Contract
