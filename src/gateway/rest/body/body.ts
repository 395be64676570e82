import * as v from 'valibot'
import { HttpError } from '../http/http-error.ts'

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
