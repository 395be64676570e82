import * as v from 'valibot'
import type { Frozen } from './contract.ts'
import { about, moment, text, wholeCount } from './words.ts'

export const OutputRangeShape = v.strictObject({
  events: about(
    'events of the session, in their order',
    v.array(
      v.strictObject({
        place: about('place after the event; as `from`, it selects the next event', wholeCount),
        time: about('when the event was recorded', moment),
        type: about(
          'i: input; o: output; e: a text about the end of the session',
          v.picklist(['i', 'o', 'e']),
        ),
        stream: v.optional(
          v.pipe(
            v.literal('stderr'),
            v.description('set for output of stderr; missing for all other events'),
          ),
        ),
        payload: v.pipe(text, v.description('bytes of the event, in base64')),
      }),
    ),
  ),
  next: v.pipe(wholeCount, v.description('the value of `from` for the next part')),
  over: about('whether the session has ended and has no more output after `next`', v.boolean()),
  missing_bytes: v.pipe(
    wholeCount,
    v.description('bytes of output that the agent omitted, or that could not be recorded'),
  ),
})

export const StatementsShape = v.strictObject({
  statements: about(
    'statements in the order of their arrival',
    v.array(
      v.strictObject({
        connection: v.pipe(
          text,
          v.description(
            'id of the connection of the native client, percent-encoded; unique within the session',
          ),
        ),
        query: v.pipe(text, v.description('first 16 KiB of the statement, with its secrets replaced')),
        time: v.pipe(moment, v.description('when the statement arrived from the client')),
        state: v.pipe(
          v.picklist(['running', 'done', 'failed', 'prepared', 'skipped', 'unfinished', 'unknown']),
          v.description(
            '`done`: the server ran the statement. `failed`: see `error`. `prepared`: the statement was only prepared. `skipped`: the statement did not run, because an earlier statement failed. `unfinished`: the connection or the session ended before the answer. `unknown`: the statement was not measured, because too many statements waited for the server',
          ),
        ),
        duration_ms: v.pipe(
          v.nullable(v.number()),
          v.description(
            'milliseconds until the end of the statement, from its arrival or from the end of the previous statement, whichever is later; null if it has no end',
          ),
        ),
        rows: v.pipe(
          v.nullable(wholeCount),
          v.description('number of rows that were returned or changed; null if the server gave no number'),
        ),
        error: v.pipe(
          v.nullable(text),
          v.description('SQLSTATE of PostgreSQL, or error number of MySQL; null if there was no error'),
        ),
        error_text: v.pipe(
          v.nullable(text),
          v.description(
            'first 512 bytes of what the server said about the error, with its secrets replaced; null if there was no error, if the statement sets a password, or if an older version recorded the session',
          ),
        ),
      }),
    ),
  ),
  has_more: about(
    'whether there are further statements; an answer has at most 1 MiB of statements, also below its limit',
    v.boolean(),
  ),
  total: about('number of all statements so far; only with `count`', v.optional(wholeCount)),
})

export type OutputRange = Frozen<v.InferOutput<typeof OutputRangeShape>>
/** The statements that native clients have sent. */
export type StatementsAnswer = Frozen<v.InferOutput<typeof StatementsShape>>
export type StatementAnswer = StatementsAnswer['statements'][number]
export type EventAnswer = Omit<OutputRange['events'][number], 'place'>
