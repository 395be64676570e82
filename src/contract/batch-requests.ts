import * as v from 'valibot'
import type { Frozen } from './contract.ts'
import { MAX_ENTRIES, runbookRun, sentName, sentText, textMap } from './executions.ts'
import { about, text } from './words.ts'

// Bodies of requests about batches, and what a refused retry says.

const number = v.pipe(
  v.number('must be a number'),
  v.integer('must be a whole number'),
  v.minValue(1, 'must be 1 or more'),
)
const amount = v.union([sentText, number], 'must be a number, or a string such as 10%')

/** If `repository` is missing, all connections must have the same repository. */
export const BatchBodyShape = v.object(
  {
    ...runbookRun,
    repository: v.nullish(sentText),
    connections: v.nullish(
      v.pipe(
        v.array(sentName, 'must be a list of names'),
        v.maxLength(MAX_ENTRIES, `must not have more than ${MAX_ENTRIES} entries`),
      ),
      [],
    ),
    tags: v.nullish(textMap, {}),
    waves: v.nullish(v.union([sentText, v.array(amount)], 'must be a string such as 1,10,rest')),
    parallel: v.nullish(number),
    stop_after: v.nullish(amount),
  },
  'must be a JSON object',
)
export type BatchBody = Frozen<v.InferOutput<typeof BatchBodyShape>>

export const NotRecordedShape = v.strictObject({
  parameters: about('names of secret parameters', v.array(text)),
  env_vars: about('names in `env_vars`', v.array(text)),
  client_args: about('whether the request had `client_args`', v.boolean()),
})
export type NotRecorded = Frozen<v.InferOutput<typeof NotRecordedShape>>

/** Facts of a refused retry, with which the caller can ask again. */
export const retryRefusal = {
  retried_by: about(
    'only with `batch-retried`: id of the batch that already runs connections of this batch again',
    v.optional(text),
  ),
  missing: about('only with `values-missing`: what the body has to bring', v.optional(NotRecordedShape)),
  present: about(
    'only with `commit-gone`: the present commit of the runbook',
    v.optional(
      v.strictObject({
        commit: about('full id of the commit, for `commit` of the next request', text),
        diff: about(
          'unified diff between the script that ran and the script of this commit, at most 16,384 characters; null if there is no diff',
          v.nullable(text),
        ),
        note: about('why the diff is missing or not complete; null otherwise', v.nullable(text)),
      }),
    ),
  ),
}

export type RetryRefusal = Frozen<v.InferOutput<v.ObjectSchema<typeof retryRefusal, undefined>>>

/** Has the values that are not recorded, and what may differ from the batch. */
export const RetryBodyShape = v.object(
  {
    connections: v.nullish(
      v.pipe(
        v.array(sentName, 'must be a list of names'),
        v.maxLength(MAX_ENTRIES, `must not have more than ${MAX_ENTRIES} entries`),
      ),
    ),
    parameters: v.nullish(textMap, {}),
    env_vars: runbookRun.env_vars,
    client_args: v.nullish(v.unwrap(runbookRun.client_args)),
    jira_fields: runbookRun.jira_fields,
    when_approved: runbookRun.when_approved,
    reason: runbookRun.reason,
    commit: v.nullish(sentText),
  },
  'must be a JSON object',
)
export type RetryBody = Frozen<v.InferOutput<typeof RetryBodyShape>>

/** Groups of runs that a retry can run again. */
export const RETRY_GROUPS = ['failed', 'never-began', 'may-have-run'] as const
export type RetryGroup = (typeof RETRY_GROUPS)[number]

/** The groups whose runs are run again unless the request names connections. */
export const USUAL_RETRY_GROUPS: readonly RetryGroup[] = ['failed', 'never-began']

export const StopShape = v.nullish(
  v.object({ kill: v.nullish(v.boolean('must be true or false'), false) }, 'must be a JSON object'),
)
