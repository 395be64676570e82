import * as v from 'valibot'
import type { Frozen } from './contract.ts'
import { ReasonNeed } from './reason.ts'
import { DECIDERS } from './review-facts.ts'
import { about, moment, text, wholeCount } from './words.ts'

export const ForeseeScriptShape = v.object(
  {
    connection: v.pipe(v.string('must be a text'), v.nonEmpty('must not be empty')),
    script: v.nullish(v.string('must be a text')),
  },
  'must be a JSON object',
)

const RefusedShape = v.strictObject({
  rule: about('name of the guardrail', text),
  message: about('message of the rule for users; empty if the rule has none', text),
  matched: about('words of the rule that the script contains, or the pattern that it matches', v.array(text)),
  line: v.pipe(
    v.nullable(wholeCount),
    v.description('line of the script where the first match ends, from 1; null if it is unknown'),
  ),
})

/** What a script would need, and what would happen to it. The answer holds for this caller at this moment. */
export const ForeseenScriptShape = v.strictObject({
  connection: about('name of the connection', text),
  agent: about('name of the agent that would run the script', text),
  agent_online: about('whether the agent is connected and accepts new sessions', v.boolean()),
  review: about(
    'approval that the script needs; null: the script needs no approval',
    v.nullable(
      v.strictObject({
        groups: about('groups that may approve', v.array(text)),
        minimum: about('minimum number of groups that have to approve', wholeCount),
        force_groups: about('groups of which one member alone may approve', v.array(text)),
        self_approval: about('whether approvers may approve their own scripts', v.boolean()),
        ...DECIDERS,
      }),
    ),
  ),
  masked: about('types of personal data that are masked in the output', v.array(text)),
  guardrails: v.pipe(
    v.array(v.strictObject({ name: text, input: wholeCount, output: wholeCount })),
    v.description(
      'guardrails of the connection, with the number of their rules for scripts (`input`) and for output',
    ),
  ),
  confirm: v.pipe(
    v.boolean(),
    v.description(
      'whether the page asks people to type the name of the connection before the script runs; REST requests need no confirmation',
    ),
  ),
  reason: ReasonNeed,
  schema: about('whether `POST /api/sessions/schema` returns the tables of the database', v.boolean()),
  refused: v.pipe(
    v.nullable(RefusedShape),
    v.description(
      'the guardrail rule for which the agent would refuse `script`; null if it breaks no rule of the connection, or was not sent',
    ),
  ),
})
export type ForeseenScriptAnswer = Frozen<v.InferOutput<typeof ForeseenScriptShape>>

export const ReadSchemaShape = v.object(
  {
    connection: v.pipe(v.string('must be a text'), v.nonEmpty('must not be empty')),
    fresh: v.nullish(v.boolean('must be true or false'), false),
  },
  'must be a JSON object',
)

const TableShape = v.strictObject({
  schema: about('schema or database of the table', text),
  name: about('name of the table', text),
  columns: v.pipe(
    v.array(v.strictObject({ name: text, type: text })),
    v.description('columns of the table, with their types'),
  ),
})

/** The tables of a database, as a recorded session has read them. */
export const DatabaseSchemaShape = v.strictObject({
  session_id: about('id of the session that read the tables', text),
  read_at: about('when the tables were read', moment),
  tables: about('at most 500 tables that the user of the connection may see', v.array(TableShape)),
  is_complete: about('whether there are no further tables', v.boolean()),
  problem: about('why the tables could not be read; null if they were read', v.nullable(text)),
})
export type DatabaseSchemaAnswer = Frozen<v.InferOutput<typeof DatabaseSchemaShape>>
