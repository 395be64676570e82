import { decodeBase64, encodeBase64 } from './base64.ts'
import { decodeText, type ByteString } from './bytestring.ts'
import { isEqualToAny, isLess } from './comparison.ts'
import { FunctionFailure } from './errors.ts'
import { escapeHtml, escapeJavaScript, escapeUrlQuery } from './escape.ts'
import { ofArgumentAndValue, ofValue, type TemplateFunction } from './function.ts'
import { indexed, lengthOf, sliced } from './indexing.ts'
import { WORK_PER_FORMATTED_BYTE } from './limits.ts'
import { matches } from './pattern.ts'
import { print, printLine, shownTogether } from './print.ts'
import { printf } from './printf.ts'
import { shellQuoted, sqlIdentifier, sqlQuoted } from './quoting.ts'
import { isTrue, type Value } from './value.ts'

function cheap(target: TemplateFunction): TemplateFunction {
  return { ...target, workPerByte: 0 }
}

/** The piped value as it is: the function only tells clients something about an input. */
const keep = cheap(ofArgumentAndValue((_argument, value) => value))

/** The functions hoop gives to runbooks (protocol.md 9.3). */
const RUNBOOK_FUNCTIONS: Readonly<Record<string, TemplateFunction>> = {
  required: cheap(
    ofArgumentAndValue((message, value) => {
      if (value === '') throw new FunctionFailure(message)
      return value
    }),
  ),
  default: cheap(ofArgumentAndValue((fallback, value) => (value === '' ? fallback : value))),
  pattern: ofArgumentAndValue((expression, value, scope) => {
    if (!matches(expression, value, scope)) throw new FunctionFailure(`pattern didn't match:${expression}`)
    return value
  }),
  type: keep,
  description: keep,
  placeholder: keep,
  minlength: keep,
  maxlength: keep,
  order: keep,
  options: cheap({ fixed: [], rest: 'string', apply: (args) => args.at(-1) ?? '' }),
  squote: ofValue((value) => `'${value}'`),
  dquote: ofValue((value) => `"${value}"`),
  quotechar: ofArgumentAndValue((mark, value) => mark + value + mark),
  encodeb64: ofValue(encodeBase64),
  decodeb64: ofValue(decodeBase64),
  asenv: ofArgumentAndValue((key, value, scope) => {
    scope.environment.set(`envvar:${decodeText(key)}`, encodeBase64(value))
    return ''
  }),
}

/** Functions of ours: hoop knows none of them, and refuses a template that uses one. */
const OWN_FUNCTIONS: Readonly<Record<string, TemplateFunction>> = {
  shellquote: ofValue(shellQuoted),
  sqlquote: ofValue(sqlQuoted),
  sqlident: ofValue(sqlIdentifier),
}

/** A comparison of exactly two values. */
function comparison(compare: (left: Value, right: Value) => boolean): TemplateFunction {
  return { fixed: ['any', 'any'], apply: ([left, right]) => compare(left, right) }
}

/** A function of any number of values. */
function ofAny(apply: (values: readonly Value[]) => Value): TemplateFunction {
  return { fixed: [], rest: 'any', apply }
}

/** A function that looks at every character. */
function formatting(target: TemplateFunction): TemplateFunction {
  return { ...target, workPerByte: WORK_PER_FORMATTED_BYTE }
}

/** A function of one value and any number of others. */
function ofFirst(apply: (first: Value, others: readonly Value[]) => Value): TemplateFunction {
  return { fixed: ['any'], rest: 'any', apply: ([first, ...others]) => apply(first, others) }
}

/** Go's own functions. What `and`, `or` and `call` do depends on how they are called: calls.ts, this is their shape. */
const GO_FUNCTIONS: Readonly<Record<string, TemplateFunction>> = {
  and: ofFirst((first) => first),
  or: ofFirst((first) => first),
  not: cheap({ fixed: ['any'], apply: ([value]) => !isTrue(value) }),
  eq: ofFirst(isEqualToAny),
  ne: comparison((left, right) => !isEqualToAny(left, [right])),
  lt: comparison(isLess),
  le: comparison((left, right) => isLess(left, right) || isEqualToAny(left, [right])),
  gt: comparison((left, right) => !isLess(left, right) && !isEqualToAny(left, [right])),
  ge: comparison((left, right) => !isLess(left, right)),
  len: cheap({ fixed: ['any'], apply: ([value]) => lengthOf(value) }),
  index: cheap(ofFirst(indexed)),
  slice: cheap(ofFirst(sliced)),
  call: ofFirst((first) => first),
  print: ofAny(print),
  println: ofAny(printLine),
  printf: formatting({
    fixed: ['string'],
    rest: 'any',
    apply: ([format, ...values]) => printf(typeof format === 'string' ? format : '', values),
  }),
  html: formatting(ofAny((values) => escapeHtml(shownTogether(values)))),
  js: formatting(ofAny((values) => escapeJavaScript(shownTogether(values)))),
  urlquery: formatting(ofAny((values) => escapeUrlQuery(shownTogether(values)))),
}

const FUNCTIONS: ReadonlyMap<ByteString, TemplateFunction> = new Map(
  Object.entries({ ...GO_FUNCTIONS, ...RUNBOOK_FUNCTIONS, ...OWN_FUNCTIONS }),
)

/** What a runbook and a plain Go template differ in while they are read. */
export interface Dialect {
  /** The template's name, in errors. */
  readonly name: ByteString
  readonly isFunction: (name: ByteString) => boolean
}

/** Go's functions, hoop's, and ours. */
export const RUNBOOK: Dialect = { name: '', isFunction: (name) => FUNCTIONS.has(name) }

/** Go's functions alone. */
export const SCRIPT: Dialect = { name: 'script', isFunction: (name) => Object.hasOwn(GO_FUNCTIONS, name) }

/** The function of a name that a dialect knows. */
export function functionNamed(name: ByteString): TemplateFunction {
  const found = FUNCTIONS.get(name)
  if (found === undefined) throw new FunctionFailure(`function ${name} not defined`)
  return found
}
