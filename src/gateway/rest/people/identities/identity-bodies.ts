import * as v from 'valibot'
import { USER_NAME, USER_NAME_FORM } from '../../../settings/shapes/user-shape.ts'

// Request bodies about users and tokens. Unknown fields are ignored.

const YEAR_SECONDS = 366 * 24 * 60 * 60
const seconds = (least: number, most: number) =>
  v.pipe(
    v.number('must be a number of seconds'),
    v.integer('must be a whole number of seconds'),
    v.minValue(least, `must be at least ${least} seconds`),
    v.maxValue(most, `must be at most ${most} seconds`),
  )

const name = v.pipe(v.string('must be a text'), v.regex(USER_NAME, `must be ${USER_NAME_FORM}`))
/** Null: it does not expire. */
const lifetime = v.nullable(seconds(1, 100 * YEAR_SECONDS))

export const tokenBody = v.object(
  { name, user: v.nullish(name), expires_in: v.nullish(lifetime, null) },
  'must be a JSON object',
)

const DAY_SECONDS = 24 * 60 * 60
const LONGEST_OVERLAP = 90 * DAY_SECONDS

export const rotationBody = v.object(
  {
    overlap: v.nullish(seconds(0, LONGEST_OVERLAP), DAY_SECONDS),
    expires_in: v.nullish(lifetime),
  },
  'must be a JSON object',
)

const groupName = v.pipe(
  v.string('must be a text'),
  v.regex(
    /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}$/,
    'must be 1 to 100 letters, digits, dots, underscores or hyphens',
  ),
)
const groups = v.pipe(
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

/** As in gateway.yaml, but `per` is in seconds. */
export const budgetBody = v.object(
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

/** `email` is the name, as in hoop's contract, whose `name` is for display alone. */
export const userBody = v.object(
  {
    email: name,
    kind: v.nullish(v.picklist(['person', 'machine'], 'must be person or machine'), 'person'),
    groups: v.nullish(groups, []),
    budget: v.nullish(budgetBody),
    take_over: v.nullish(v.boolean('must be true or false'), false),
    password: v.nullish(v.string('must be a text')),
  },
  'must be a JSON object',
)

export const userChangeBody = v.object(
  {
    status: v.nullish(v.picklist(['active', 'inactive'], 'must be active or inactive')),
    groups: v.nullish(groups),
    budget: v.optional(v.nullable(budgetBody)),
  },
  'must be a JSON object',
)

export const groupBody = v.object({ name: groupName }, 'must be a JSON object')

export const serviceAccountBody = v.object(
  {
    subject: name,
    status: v.nullish(v.string('must be a text'), 'active'),
    groups: v.nullish(groups, []),
  },
  'must be a JSON object',
)
export const serviceAccountChangeBody = v.object(
  { status: v.nullish(v.string('must be a text')), groups: v.nullish(groups) },
  'must be a JSON object',
)

export const apiKeyBody = v.object({ name, groups: v.nullish(groups, []) }, 'must be a JSON object')
export const apiKeyChangeBody = v.object(
  { name: v.nullish(name), groups: v.nullish(groups) },
  'must be a JSON object',
)
