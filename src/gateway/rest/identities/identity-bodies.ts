import * as v from 'valibot'
import { USER_NAME, USER_NAME_FORM } from '../../settings/user-shape.ts'

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
