import { RE2JS } from 're2js'
import { printableText } from '../../../basics/printable.ts'
import type { Parameter } from '../../../client/runbooks.ts'

/** What a value of a type looks like, where it has a form. The runbook gets the text as it is. */
const FORMS: Readonly<
  Partial<Record<string, { readonly test: (text: string) => boolean; readonly words: string }>>
> = {
  number: { test: (text) => /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text), words: 'a number' },
  date: { test: isDate, words: 'a date such as 2026-01-31' },
  time: { test: (text) => /^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$/.test(text), words: 'a time such as 14:30' },
  url: { test: (text) => URL.canParse(text), words: 'a URL such as https://example.com' },
  email: { test: (text) => /^[^\s@]+@[^\s@]+$/.test(text), words: 'an e-mail address' },
}

/**
 * What is wrong with a value that a person types, by what the runbook declares; `true` when nothing is. The gateway
 * enforces patterns only.
 */
export function checkValue(parameter: Parameter, value: string): true | string {
  if (value === '') return parameter.required ? 'it may not be empty' : true
  const { minLength = 0, maxLength = Infinity } = parameter
  const length = Array.from(value).length
  const form = FORMS[parameter.type]
  if (length < minLength) return `it has at least ${minLength} characters`
  if (length > maxLength) return `it has at most ${maxLength} characters`
  if (form?.test(value) === false) return `it is ${form.words}`
  return matchesPattern(parameter, value) || printableText(`it has to match ${parameter.pattern ?? ''}`)
}

function isDate(text: string): boolean {
  return (
    /^\d{4}-\d\d-\d\d$/.test(text) &&
    !Number.isNaN(Date.parse(text)) &&
    new Date(text).toISOString().startsWith(text)
  )
}

/** By Go's rules, as the gateway will: anywhere in the value. */
export function matchesPattern({ pattern }: Parameter, value: string): boolean {
  if (pattern === undefined) return true
  try {
    return RE2JS.compile(pattern).matcher(value).find()
  } catch {
    // Not a pattern: the gateway says so better.
    return true
  }
}
