import * as v from 'valibot'

/** Adds a meaning to a shape, for the pages of docs/ and the OpenAPI document. */
export function about<const Shape extends v.GenericSchema>(meaning: string, shape: Shape) {
  return v.pipe(shape, v.description<v.InferOutput<Shape>, string>(meaning))
}

/** The only organization. hoop has an id for each organization. */
export const ORGANIZATION = '00000000-0000-0000-0000-000000000000'

// The following shapes are parts of answers.

export const text = v.string()
export const wholeCount = v.pipe(v.number(), v.integer(), v.minValue(0))
/** A time as `Date.toISOString` writes it: RFC 3339 in UTC with milliseconds. */
export const moment = v.pipe(v.string(), v.isoTimestamp())
export const time = v.nullable(moment)
export const file = v.pipe(text, v.description('a file'))
export const nothing = v.strictObject({})

// The following shapes are parts of bodies.

/**
 * A name may be a mail address. Other characters are not allowed, because names occur in paths and file
 * names.
 */
export const USER_NAME = /^(?!\.{1,2}$)[A-Za-z0-9._@+-]{1,100}$/
export const USER_NAME_FORM = 'a name of 1 to 100 letters, digits, dots, underscores, hyphens, @ or +'

export const userName = v.pipe(v.string('must be a string'), v.regex(USER_NAME, `must be ${USER_NAME_FORM}`))

export const seconds = (least: number, most: number) =>
  v.pipe(
    v.number('must be a number of seconds'),
    v.integer('must be a whole number of seconds'),
    v.minValue(least, `must be at least ${least} seconds`),
    v.maxValue(most, `must be at most ${most} seconds`),
  )

// The following shapes are options of a URL. If an option is given twice, the first value counts. A refused
// value is answered with the message of the check. The status is 400 unless the option has another status.

/** An empty text counts as given. */
export const plainOption = (description: string) => v.pipe(v.optional(v.string()), v.description(description))

/** An empty text counts as missing. */
export const option = (description: string) => v.pipe(filled, v.description(description))

const filled = v.pipe(
  v.optional(v.string()),
  v.transform((given) => (given === '' ? undefined : given)),
)

/** @param problem the error message for a text that `read` cannot parse */
export function readOption<T>(description: string, read: (text: string) => T | undefined, problem: string) {
  return v.pipe(
    filled,
    v.rawTransform(({ dataset: { value }, addIssue, NEVER }) => {
      const given = value === undefined ? undefined : read(value)
      if (value === undefined || given !== undefined) return given
      addIssue({ message: problem })
      return NEVER
    }),
    v.description(description),
  )
}

/** A text that is no whole number is refused with 422, as in hoop. */
export function numberOption(name: string, description: string, most: number, least = 1) {
  return v.pipe(
    filled,
    v.rawTransform(({ dataset: { value }, addIssue, NEVER }) => {
      if (value === undefined) return undefined
      const number = /^\d{1,15}$/.test(value) ? Number(value) : -1
      if (number >= least && number <= most) return number
      const range = name === 'page_size' ? `between ${least} and ${most}` : `>= ${least}`
      addIssue({ message: `${name} must be ${number > most && name === 'page' ? `<= ${most}` : range}` })
      return NEVER
    }),
    v.metadata({ status: 422 }),
    v.description(description),
  )
}

export const USUAL_PAGE = 50

export const pageSizeOption = (description: string) => numberOption('page_size', description, 100)

/** Matches the texts that Go accepts as time.RFC3339. */
const RFC3339 =
  /^(\d{4}-(?:0[1-9]|1[0-2])-(\d\d))T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:[.,]\d+)?(?:Z|[+-]\d\d:[0-5]\d)$/

export function momentIn(text: string): Date | undefined {
  const [, day, ofMonth] = RFC3339.exec(text) ?? []
  const date = new Date(text.replace(',', '.'))
  // Refuses days that do not exist: JavaScript would read the 30th of February as the 1st of March.
  const isDay = day !== undefined && new Date(`${day}T00:00:00Z`).getUTCDate() === Number(ofMonth)
  return isDay && !Number.isNaN(date.getTime()) ? date : undefined
}

export const momentOption = (name: string, description: string) =>
  readOption(description, momentIn, `${name} must be a time as in RFC 3339`)
