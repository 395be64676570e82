import { RE2JS } from 're2js'
import { printableText } from '../../../basics/text/printable.ts'
import type { Parameter, Runbook } from '../../../client/rest/runbooks.ts'
import { brokenRule } from '../../../template/rules.ts'
import { ApiError } from '../../../client/rest/api-error.ts'
import { PATTERN_MISMATCH } from '../../../template/functions.ts'

/**
 * What is wrong with a value that a person types, by the runbook's declarations; `true` when nothing is. The embedded
 * gateway enforces the same rules, hoop's only patterns.
 */
export function checkValue(parameter: Parameter, value: string): true | string {
  if (value === '') return parameter.required ? 'it may not be empty' : true
  const broken = brokenRule(parameter, value)
  if (broken !== undefined) return printableText(`it ${broken}`)
  return matchesPattern(parameter, value) || printableText(`it has to match ${parameter.pattern ?? ''}`)
}

/** Matches as in Go, and so in the gateway: anywhere in the value. */
function matchesPattern({ pattern }: Parameter, value: string): boolean {
  if (pattern === undefined) return true
  try {
    return RE2JS.compile(pattern).matcher(value).find()
  } catch {
    // The gateway explains a broken pattern better.
    return true
  }
}

/**
 * Adds the parameter's name to the gateway's error about a value that does not match, which has only a place in the
 * template and the pattern. The gateway decides: a template may change a value before the check.
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
