import * as v from 'valibot'
import { text } from '../../../contract/words.ts'
import { GATEWAY_CODES } from '../../../wire/gateway-codes.ts'

/** The body of every error. */
export const errorAnswer = v.strictObject({
  message: text,
  code: v.picklist(GATEWAY_CODES),
  status: v.optional(v.pipe(v.number(), v.integer(), v.description('of downloads alone'))),
  refusals: v.optional(
    v.pipe(
      v.array(v.strictObject({ connection: text, code: v.picklist(GATEWAY_CODES), message: text })),
      v.description('of batches alone'),
    ),
  ),
})
