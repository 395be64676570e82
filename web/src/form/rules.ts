import type { Parameter } from './parameters.ts'

// A copy of the gateway's rules (src/template/rules.ts), so that people see a mistake while they type.
// test/web/form/rules.test.ts compares the two.

const NO_URL = /[\p{C}\p{Z}"<>\\^`{|}]/u
const EMAIL =
  /^[\p{L}\p{N}_][\p{L}\p{M}\p{N}_+=-]*(?:\.[\p{L}\p{M}\p{N}_+=-]+)*@[\p{L}\p{N}][\p{L}\p{M}\p{N}-]*(?:\.[\p{L}\p{N}][\p{L}\p{M}\p{N}-]*)*$/u

/** The required form of the values, for each type that has one. */
const FORMS: Readonly<
  Partial<Record<string, { readonly test: (text: string) => boolean; readonly words: string }>>
> = {
  number: { test: (text) => /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text), words: 'a number' },
  date: { test: isDate, words: 'a date such as 2026-01-31' },
  time: { test: (text) => /^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$/.test(text), words: 'a time such as 14:30' },
  url: {
    test: (text) => !NO_URL.test(text) && URL.canParse(text),
    words: 'a URL such as https://example.com',
  },
  email: { test: (text) => EMAIL.test(text), words: 'an email address' },
}

/** Maximum number of options that an error names. */
const SHOWN_OPTIONS = 20

/** Whether the value matches the pattern, read as Go reads it. Undefined until the engine is loaded. */
export type MatchesPattern = (pattern: string, value: string) => boolean | undefined

/**
 * Returns the problem with a value, worded so that it can follow the parameter's name. Returns undefined for
 * a good value.
 */
export function problemOf(parameter: Parameter, value: string, matches: MatchesPattern): string | undefined {
  if (value === '') {
    const isMissing = parameter.required && (parameter.default ?? '') === ''
    return isMissing ? (parameter.requiredText ?? 'may not be empty') : undefined
  }
  // The author of the runbook chose the default, so the default is not checked.
  const broken = value === parameter.default ? undefined : brokenRule(parameter, value)
  if (broken !== undefined) return broken
  const { pattern, placeholder } = parameter
  if (pattern === undefined || matches(pattern, value) !== false) return undefined
  return placeholder === ''
    ? `has to match ${pattern}`
    : `has to be like ${placeholder}, and to match ${pattern}`
}

function brokenRule({ type, options, minLength, maxLength }: Parameter, value: string): string | undefined {
  const form = FORMS[type]
  if (options.length > 0 && !options.includes(value)) return oneOf(options)
  if (minLength !== undefined && charactersOf(value) < minLength)
    return `needs at least ${minLength} characters`
  if (maxLength !== undefined && charactersOf(value) > maxLength)
    return `may have at most ${maxLength} characters`
  return form?.test(value) === false ? `has to be ${form.words}` : undefined
}

/** A character above U+FFFF counts once, although it has two UTF-16 units. */
function charactersOf(value: string): number {
  return value.replaceAll(/[\ud800-\udbff][\udc00-\udfff]/g, '_').length
}

function oneOf(options: readonly string[]): string {
  const more = options.length > SHOWN_OPTIONS ? `, or ${options.length - SHOWN_OPTIONS} others` : ''
  return `has to be one of ${options.slice(0, SHOWN_OPTIONS).join(', ')}${more}`
}

function isDate(text: string): boolean {
  return (
    /^\d{4}-\d\d-\d\d$/.test(text) &&
    !Number.isNaN(Date.parse(text)) &&
    new Date(text).toISOString().startsWith(text)
  )
}
