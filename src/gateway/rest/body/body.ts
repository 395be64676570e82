import * as v from 'valibot'
import { hoopWords } from '../../../wire/gateway-words.ts'
import { HttpError } from '../http/http-error.ts'

// Request bodies of the contract (protocol.md 10.1). Unknown fields are ignored: newer clients send more.

/** In one list or object. More would keep the gateway busy for seconds, and every other caller waiting. */
const MAX_ENTRIES = 10_000

const text = v.string('must be a text')
const name = v.pipe(text, v.nonEmpty('must not be empty'))
/** For JavaScript a list is an object too, and would become a record with numbers as names. */
const isNoList = v.check((value: unknown) => !Array.isArray(value), 'must be an object, not a list')
/** Go reads `null` as an empty text. */
const element = v.nullable(text, '')
const textMap = v.pipe(
  v.unknown(),
  isNoList,
  v.record(v.string(), element, 'must be an object whose values are texts'),
  v.check((map) => Object.keys(map).length <= MAX_ENTRIES, `must not have more than ${MAX_ENTRIES} entries`),
)
const anyMap = v.pipe(v.unknown(), isNoList, v.record(v.string(), v.unknown(), 'must be an object'))

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
  session_batch_id: v.nullish(text),
  correlation_id: v.nullish(text),
}

const runbook = {
  ...common,
  file_name: name,
  ref_hash: v.nullish(text, ''),
  parameters: v.nullish(textMap, {}),
}

export const runbookBody = v.object(runbook, 'must be a JSON object')
export const runbookV2Body = v.object(
  { ...runbook, connection_name: name, repository: name },
  'must be a JSON object',
)
/** Like an execution's. Without a repository it is the connection's own. */
export const renderBody = v.object(
  { ...runbook, connection_name: name, repository: v.nullish(text) },
  'must be a JSON object',
)
export const sessionBody = v.object(
  { ...common, connection: name, script: v.nullish(text, ''), labels: v.nullish(textMap, {}) },
  'must be a JSON object',
)

const number = v.pipe(
  v.number('must be a number'),
  v.integer('must be a whole number'),
  v.minValue(1, 'must be 1 or more'),
)
const amount = v.union([text, number], 'must be a number, or a text such as 10%')

/** An execution's on several connections. Without a repository it is that of all of them. */
export const batchBody = v.object(
  {
    ...runbook,
    repository: v.nullish(text),
    connections: v.nullish(
      v.pipe(
        v.array(name, 'must be a list of names'),
        v.maxLength(MAX_ENTRIES, `must not have more than ${MAX_ENTRIES} entries`),
      ),
      [],
    ),
    tags: v.nullish(textMap, {}),
    waves: v.nullish(v.union([text, v.array(amount)], 'must be a text such as 1,10,rest')),
    parallel: v.nullish(number),
    stop_after: v.nullish(amount),
  },
  'must be a JSON object',
)

export const batchStopBody = v.nullish(
  v.object({ kill: v.nullish(v.boolean('must be true or false'), false) }, 'must be a JSON object'),
)

/** Of a session, all of it. */
export const metadataBody = v.object({ metadata: anyMap }, 'must be a JSON object')

export type BatchBody = v.InferOutput<typeof batchBody>
export type RunbookBody = v.InferOutput<typeof runbookBody>
export type CommonBody = Pick<RunbookBody, keyof typeof common>

/**
 * @param statuses of fields that hoop's gateway answers with another status
 * @throws HttpError 400 naming the first field that is wrong and what it must be
 */
export function readExecBody<Schema extends v.GenericSchema>(
  schema: Schema,
  body: unknown,
  statuses: Readonly<Record<string, 422>> = {},
): v.InferOutput<Schema> {
  if (Array.isArray(body)) throw new HttpError('invalid-request', 'request body: must be a JSON object')
  const result = v.safeParse(schema, body, { abortEarly: true })
  if (result.success) return result.output
  const [issue] = result.issues
  const field = v.getDotPath(issue) ?? 'request body'
  throw new HttpError('invalid-request', problem(field, issue), statuses[field])
}

function problem(field: string, issue: v.BaseIssue<unknown>): string {
  return issue.received === 'undefined' ? `${field}: is required` : `${field}: ${issue.message}`
}

const MAX_METADATA_FIELDS = 20
const MAX_METADATA_CHARACTERS = 2500
/** SQLite takes what has more than a thousand levels for no JSON, and then nobody's list has it. */
const MAX_METADATA_LEVELS = 100

/** hoop's limits and texts (the number in the first text is hoop's too). @throws HttpError 422 */
export function checkLimits({ metadata, correlation_id: correlationId }: CommonBody): void {
  checkMetadata(metadata)
  if (correlationId === undefined || correlationId === null) return
  if (correlationId.length > 255) throw new HttpError('invalid-request', hoopWords.tooLongCorrelationId, 422)
  if (/[^\x20-\x7e]/.test(correlationId))
    throw new HttpError('invalid-request', hoopWords.unprintableCorrelationId, 422)
}

/** @throws HttpError 422 */
export function checkMetadata(metadata: CommonBody['metadata']): void {
  const fields = Object.entries(metadata)
  if (fields.length > MAX_METADATA_FIELDS)
    throw new HttpError('invalid-request', hoopWords.tooManyMetadata, 422)
  if (
    fields.some(
      ([key, value]) => key.length >= MAX_METADATA_CHARACTERS || characters(value) >= MAX_METADATA_CHARACTERS,
    )
  ) {
    throw new HttpError('invalid-request', hoopWords.tooLongMetadata, 422)
  }
  if (isDeeper(metadata, MAX_METADATA_LEVELS))
    throw new HttpError(
      'invalid-request',
      `metadata: must not have more than ${MAX_METADATA_LEVELS} levels`,
      422,
    )
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((one) => isDeeper(one, levels - 1))
}

function characters(value: unknown): number {
  try {
    return typeof value === 'string' ? value.length : JSON.stringify(value).length
  } catch {
    // Nested deeper than the stack allows: too long in any case.
    return Infinity
  }
}
