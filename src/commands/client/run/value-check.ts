import { RE2JS } from 're2js'
import { printableText } from '../../../basics/text/printable.ts'
import type { Parameter } from '../../../client/rest/runbooks.ts'
import { brokenRule } from '../../../template/rules.ts'

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

/** As in Go, and so in the gateway: the pattern may match anywhere in the value. */
export function matchesPattern({ pattern }: Parameter, value: string): boolean {
  if (pattern === undefined) return true
  try {
    return RE2JS.compile(pattern).matcher(value).find()
  } catch {
    // The pattern is broken. The gateway explains it better.
    return true
  }
}
