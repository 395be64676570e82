import { ApiError } from '../../../client/rest/api-error.ts'
import type { Runbook } from '../../../client/rest/runbooks.ts'
import { matchesPattern } from './value-check.ts'

/**
 * What a gateway says of a value that does not match, with the parameter's name: it gives a place in the template and the
 * pattern. It decides, not we: a template may change a value before it looks at it.
 */
export function withParameterName(
  error: unknown,
  { parameters }: Runbook,
  given: Readonly<Record<string, string>>,
): unknown {
  if (!(error instanceof ApiError) || error.kind !== 'invalid') return error
  const [, pattern] = /pattern didn't match:(.+)$/.exec(error.message) ?? []
  const wrong = parameters.filter(
    (parameter) => parameter.pattern === pattern && !matchesPattern(parameter, given[parameter.name] ?? ''),
  )
  if (pattern === undefined || wrong.length === 0) return error
  const names = wrong.map(({ name }) => name).join(', ')
  return new ApiError('invalid', `parameter ${names}: it has to match ${pattern}`, error.status)
}
