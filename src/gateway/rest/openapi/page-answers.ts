import * as v from 'valibot'
import { text, wholeCount } from '../../../contract/words.ts'

// What is answered to the page alone, as in answers.ts.

export const outputRangeAnswer = v.strictObject({
  events: v.array(
    v.strictObject({
      place: wholeCount,
      time: text,
      type: v.picklist(['i', 'o', 'e']),
      stream: v.optional(v.pipe(v.literal('stderr'), v.description('of output; stdout has none'))),
      payload: v.pipe(text, v.description('base64')),
    }),
  ),
  next: v.pipe(wholeCount, v.description('the place to go on from')),
  over: v.boolean(),
  missing_bytes: v.pipe(wholeCount, v.description('of output that is not in the record')),
})
