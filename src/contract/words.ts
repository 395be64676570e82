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

// Options of a URL. Each is a text or missing; of one that is given twice the first counts. A refusal is answered with
// the message of the check, and with 400 unless the option has another status.

/** Any text, also an empty one. */
export const plainOption = (description: string) => v.pipe(v.optional(v.string()), v.description(description))

/** An empty text counts as missing. */
export const option = (description: string) => v.pipe(filled, v.description(description))

const filled = v.pipe(
  v.optional(v.string()),
  v.transform((given) => (given === '' ? undefined : given)),
)

/** What is filled in, as `read` understands it. @param problem of a text that it does not understand */
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

/** A whole number; hoop refuses others with 422. */
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

/** The size of a page where the caller names none. */
export const USUAL_PAGE = 50

/** How many entries a page has. */
export const pageSizeOption = (description: string) => numberOption('page_size', description, 100)

/** Go's time.RFC3339. */
const RFC3339 =
  /^(\d{4}-(?:0[1-9]|1[0-2])-(\d\d))T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:[.,]\d+)?(?:Z|[+-]\d\d:[0-5]\d)$/

/** Undefined for what is no such time. */
export function momentIn(text: string): Date | undefined {
  const [, day, ofMonth] = RFC3339.exec(text) ?? []
  const date = new Date(text.replace(',', '.'))
  // JavaScript would take the 30th of February for the 1st of March.
  const isDay = day !== undefined && new Date(`${day}T00:00:00Z`).getUTCDate() === Number(ofMonth)
  return isDay && !Number.isNaN(date.getTime()) ? date : undefined
}

/** A time as in RFC 3339. */
export const momentOption = (name: string, description: string) =>
  readOption(description, momentIn, `${name} must be a time as in RFC 3339`)
