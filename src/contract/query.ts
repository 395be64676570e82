import * as v from 'valibot'

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
