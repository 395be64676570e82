import * as v from 'valibot'

/** Maximum length of the reason for a request. */
export const MAX_REASON_CHARACTERS = 1000
/**
 * A reason is one line. Control characters are not allowed, nor are characters that change the direction of text: an
 * approver would read another sentence than the requester wrote.
 */
export const REASON = /^[^\p{Cc}\p{Zl}\p{Zp}\u200E\u200F\u202A-\u202E\u2066-\u2069]*$/u
export const REASON_FORM = `one line of at most ${MAX_REASON_CHARACTERS} characters without control characters`

/** A reason of spaces counts as missing. */
export const reason = v.pipe(
  v.string('must be a string'),
  v.trim(),
  v.maxLength(MAX_REASON_CHARACTERS, `must be ${REASON_FORM}`),
  v.regex(REASON, `must be ${REASON_FORM}`),
)

/** Whether a request has to say why. */
export const ReasonNeed = v.pipe(
  v.nullable(v.picklist(['required', 'optional'])),
  v.description(
    'whether the request needs a `reason`: required: without a reason it is refused; optional: people are asked for a reason; null: nobody is asked',
  ),
)
