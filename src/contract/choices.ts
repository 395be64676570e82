import * as v from 'valibot'
import type { Frozen } from './contract.ts'
import { about, plainOption, readOption, text, time } from './words.ts'

// The values of a parameter that a list of the same repository names.

const ChoiceShape = v.strictObject({
  value: about('value of the parameter', text),
  label: about('text for people; the value if the list has no label', text),
  of: about(
    'value of the parameter `of` for which the value is meant; empty if the list has no third column',
    text,
  ),
})

export const ChoicesShape = v.strictObject({
  parameter: about('name of the parameter', text),
  list: about('path of the list', text),
  of: about('the parameter that chooses among the values; null if there is none', v.nullable(text)),
  commit: about('full id of the commit of runbook and list', text),
  session_id: about('id of the session that has read the list; null if there is no copy', v.nullable(text)),
  read_at: about('when that session was requested; null if there is no copy', time),
  choices: about('the values in the order of the list, at most 5,000', v.array(ChoiceShape)),
})
export type ChoicesAnswer = Frozen<v.InferOutput<typeof ChoicesShape>>
export type ChoiceAnswer = ChoicesAnswer['choices'][number]

export const choicesQuery = {
  connection_name: plainOption('name of the connection (required)'),
  file_name: plainOption('path of the runbook (required)'),
  parameter: plainOption('name of the parameter (required)'),
  ref_hash: plainOption('commit of runbook and list (default: the newest commit)'),
  of: plainOption('only values for this value of the parameter `of` (default: all)'),
  cached: readOption(
    'true: answer with the copy and run nothing; without a copy the list is empty (default: false)',
    (given) => (given === 'true' ? true : given === 'false' ? false : undefined),
    'cached must be true or false',
  ),
}

/** The session that says why a list of choices refuses or fails. */
export const choicesRefusal = {
  session_id: about(
    'only with `choice-gone` and `choices-failed`: id of the session that has read the list; missing if no session began',
    v.optional(text),
  ),
}
export type ChoicesRefusal = Frozen<v.InferOutput<v.ObjectSchema<typeof choicesRefusal, undefined>>>
