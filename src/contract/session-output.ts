import * as v from 'valibot'
import type { Frozen } from './contract.ts'
import { about, text, wholeCount } from './words.ts'

export const OutputRangeShape = v.strictObject({
  events: about(
    'whole events',
    v.array(
      v.strictObject({
        place: about('place in the stream', wholeCount),
        time: about('when it was written', text),
        type: about('i: input; o, e: output', v.picklist(['i', 'o', 'e'])),
        stream: v.optional(
          v.pipe(
            v.literal('stderr'),
            v.description('set for output of stderr; output of stdout has no `stream`'),
          ),
        ),
        payload: v.pipe(text, v.description('base64')),
      }),
    ),
  ),
  next: v.pipe(wholeCount, v.description('the value of `from` for the next part')),
  over: about('nothing comes after `next`', v.boolean()),
  missing_bytes: v.pipe(wholeCount, v.description('bytes of output that could not be recorded')),
})

export const StatementsShape = v.strictObject({
  statements: about(
    'statements, the oldest first',
    v.array(
      v.strictObject({
        connection: v.pipe(text, v.description('id of the connection of a native client')),
        query: v.pipe(
          text,
          v.description('text of the statement, with its secrets replaced, at most 16 KiB'),
        ),
        time: v.pipe(text, v.description('time at which the statement began')),
        state: v.pipe(
          v.picklist(['running', 'done', 'failed', 'prepared', 'skipped', 'unfinished', 'unknown']),
          v.description(
            '`prepared`: the statement was only prepared. `skipped`: an earlier statement had failed. `unfinished`: the connection ended before the statement. `unknown`: not measured, because too many statements were waiting',
          ),
        ),
        duration_ms: v.pipe(
          v.nullable(v.number()),
          v.description('time from the arrival of the statement to its end'),
        ),
        rows: v.pipe(v.nullable(wholeCount), v.description('number of rows that were returned or changed')),
        error: v.pipe(v.nullable(text), v.description('SQLSTATE of PostgreSQL, error number of MySQL')),
      }),
    ),
  ),
  has_more: about('whether there are more', v.boolean()),
})

export type OutputRange = Frozen<v.InferOutput<typeof OutputRangeShape>>
/** Statements of native clients. */
export type StatementsAnswer = Frozen<v.InferOutput<typeof StatementsShape>>
export type StatementAnswer = StatementsAnswer['statements'][number]
/** An event without its place. */
export type EventAnswer = Omit<OutputRange['events'][number], 'place'>
