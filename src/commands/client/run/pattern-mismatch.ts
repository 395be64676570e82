import { ApiError } from '../../../client/rest/http/api-error.ts'
import type { Runbook } from '../../../client/rest/runbooks.ts'
import { PATTERN_MISMATCH } from '../../../template/functions.ts'
import { matchesPattern } from './value-check.ts'

/**
 * Adds the parameter's name to the gateway's error about a value that does not match, which has only a place in the
 * template and the pattern. The gateway decides and not we: a template may change a value before the check.
 */
export function withParameterName(
  error: unknown,
  { parameters }: Runbook,
  given: Readonly<Record<string, string>>,
): unknown {
  if (!(error instanceof ApiError) || error.kind !== 'invalid') return error
  const { message } = error
  const at = message.indexOf(PATTERN_MISMATCH)
  const pattern = at < 0 ? undefined : message.slice(at + PATTERN_MISMATCH.length)
  const wrong = parameters.filter(
    (parameter) => parameter.pattern === pattern && !matchesPattern(parameter, given[parameter.name] ?? ''),
  )
  if (pattern === undefined || wrong.length === 0) return error
  const names = wrong.map(({ name }) => name).join(', ')
  return new ApiError('invalid', `parameter ${names}: it has to match ${pattern}`, error)
}
