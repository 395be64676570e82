import * as v from 'valibot'

// What answers are made of.

export const text = v.string()
export const wholeCount = v.pipe(v.number(), v.integer(), v.minValue(0))
/** RFC 3339 in UTC; null where it is not known. */
export const time = v.nullable(text)
/** Bytes of any type. */
export const file = v.pipe(text, v.description('a file'))
/** The answer of an operation that has none. */
export const nothing = v.strictObject({})

// What bodies are made of.

/** Names of users may be mail addresses. They stand in paths and file names, so the rest is not allowed. */
export const USER_NAME = /^(?!\.{1,2}$)[A-Za-z0-9._@+-]{1,100}$/
export const USER_NAME_FORM = 'a name of 1 to 100 letters, digits, dots, underscores, hyphens, @ or +'

/** The name of a user or a token. */
export const userName = v.pipe(v.string('must be a text'), v.regex(USER_NAME, `must be ${USER_NAME_FORM}`))

export const seconds = (least: number, most: number) =>
  v.pipe(
    v.number('must be a number of seconds'),
    v.integer('must be a whole number of seconds'),
    v.minValue(least, `must be at least ${least} seconds`),
    v.maxValue(most, `must be at most ${most} seconds`),
  )
