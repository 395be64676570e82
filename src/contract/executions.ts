import * as v from 'valibot'
import type { Frozen } from './contract.ts'

// What callers send who want something to be run (protocol.md 10.1). Unknown fields are ignored: newer clients send more.

/** In one list or object. More would keep the gateway busy for seconds, and every other caller waiting. */
export const MAX_ENTRIES = 10_000

export const sentText = v.string('must be a text')
export const sentName = v.pipe(sentText, v.nonEmpty('must not be empty'))
/** For JavaScript a list is an object too, and would become a record with numbers as names. */
const isNoList = v.check((value: unknown) => !Array.isArray(value), 'must be an object, not a list')
/** Go reads `null` as an empty text. */
const element = v.nullable(sentText, '')
export const textMap = v.pipe(
  v.unknown(),
  isNoList,
  v.record(v.string(), element, 'must be an object whose values are texts'),
  v.check((map) => Object.keys(map).length <= MAX_ENTRIES, `must not have more than ${MAX_ENTRIES} entries`),
)
export const anyMap = v.pipe(v.unknown(), isNoList, v.record(v.string(), v.unknown(), 'must be an object'))

const common = {
  env_vars: v.nullish(textMap, {}),
  client_args: v.nullish(
    v.pipe(
      v.array(element, 'must be a list of texts'),
      v.maxLength(MAX_ENTRIES, `must not have more than ${MAX_ENTRIES} entries`),
    ),
    [],
  ),
  metadata: v.nullish(anyMap, {}),
  jira_fields: v.nullish(textMap, {}),
  session_batch_id: v.nullish(sentText),
  correlation_id: v.nullish(sentText),
}

export const runbookRun = {
  ...common,
  file_name: sentName,
  ref_hash: v.nullish(sentText, ''),
  parameters: v.nullish(textMap, {}),
}

export const RunbookRunShape = v.object(runbookRun, 'must be a JSON object')
export const RepositoryRunShape = v.object(
  { ...runbookRun, connection_name: sentName, repository: sentName },
  'must be a JSON object',
)
/** Like an execution's. Without a repository it is the connection's own. */
export const RenderShape = v.object(
  { ...runbookRun, connection_name: sentName, repository: v.nullish(sentText) },
  'must be a JSON object',
)
export const ScriptRunShape = v.object(
  { ...common, connection: sentName, script: v.nullish(sentText, ''), labels: v.nullish(textMap, {}) },
  'must be a JSON object',
)

/** What every execution may come with. */
export type RunBody = Pick<RunbookBody, keyof typeof common>
export type RunbookBody = Frozen<v.InferOutput<typeof RunbookRunShape>>
