// web/src/form/rules.ts is a copy for the page; test/web/form/rules.test.ts compares the two.

/** The declared rules for a parameter's values, except the pattern, which the template itself checks. */
interface Rules {
  readonly type: string
  readonly options?: readonly string[] | undefined
  readonly minLength?: number | undefined
  readonly maxLength?: number | undefined
}

/**
 * Matches characters that may not be in a URL: those that RFC 3986 forbids, and blanks, control characters
 * and invisible characters. Some parsers drop some of these.
 */
const NO_URL = /[\p{C}\p{Z}"<>\\^`{|}]/u

/**
 * Matches an address of letters and digits of any language, `_`, `+`, `-`, `=` and single dots. This rule is
 * stricter than mail, so that no address is code or an option (`$(id)@example.com`, `-x@example.com`).
 */
const EMAIL =
  /^[\p{L}\p{N}_][\p{L}\p{M}\p{N}_+=-]*(?:\.[\p{L}\p{M}\p{N}_+=-]+)*@[\p{L}\p{N}][\p{L}\p{M}\p{N}-]*(?:\.[\p{L}\p{N}][\p{L}\p{M}\p{N}-]*)*$/u

/** Forms that a type's values must have. The runbook gets the text unchanged. */
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

/**
 * Returns the broken rule as words that follow the parameter's name. The words never contain the value, which
 * may be a password. Empty values are left to `required`.
 */
export function brokenRule(
  { type, options, minLength, maxLength }: Rules,
  value: string,
): string | undefined {
  if (value === '') return undefined
  const form = FORMS[type]
  if (options !== undefined && options.length > 0 && !options.includes(value)) return oneOfMessage(options)
  if (minLength !== undefined && charactersOf(value) < minLength)
    return `needs at least ${minLength} characters`
  if (maxLength !== undefined && charactersOf(value) > maxLength)
    return `may have at most ${maxLength} characters`
  return form?.test(value) === false ? `has to be ${form.words}` : undefined
}

export function declaredLength(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined
}

/** Returns the work of `brokenRule`, which is the number of characters that it may read. */
export function ruleWork({ type, options = [], minLength, maxLength }: Rules, value: string): number {
  const passes = [FORMS[type], minLength, maxLength].filter((rule) => rule !== undefined).length
  return passes * value.length + options.length
}

/** A character above U+FFFF counts once, although it has two UTF-16 units. */
function charactersOf(value: string): number {
  return value.replaceAll(/[\ud800-\udbff][\udc00-\udfff]/g, '_').length
}

function oneOfMessage(options: readonly string[]): string {
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
