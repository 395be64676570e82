import { isEqualToAny, isLess } from './comparison.ts'
import { escapeHtml, escapeJavaScript, escapeUrlQuery } from './escape.ts'
import type { TemplateFunction } from './function.ts'
import { indexed, lengthOf, sliced } from './indexing.ts'
import { WORK_PER_FORMATTED_BYTE } from '../limits.ts'
import { print, printLine, shownTogether } from '../../fmt/print.ts'
import { printf } from '../../fmt/printf.ts'
import { isTrue, type Value } from '../../fmt/value.ts'

/** A function that costs the same for values of any size. */
export function cheap(target: TemplateFunction): TemplateFunction {
  return { ...target, workPerByte: 0 }
}

function comparison(compare: (left: Value, right: Value) => boolean): TemplateFunction {
  return { fixed: ['any', 'any'], apply: ([left, right]) => compare(left, right) }
}

function ofAny(apply: (values: readonly Value[]) => Value): TemplateFunction {
  return { fixed: [], rest: 'any', apply }
}

function formatting(target: TemplateFunction): TemplateFunction {
  return { ...target, workPerByte: WORK_PER_FORMATTED_BYTE }
}

/** A function of one value and any number of others. */
function ofFirst(apply: (first: Value, others: readonly Value[]) => Value): TemplateFunction {
  return { fixed: ['any'], rest: 'any', apply: ([first, ...others]) => apply(first, others) }
}

/** Go's own functions. What `and`, `or` and `call` do depends on how they are called: calls.ts, this is their shape. */
export const GO_FUNCTIONS: Readonly<Record<string, TemplateFunction>> = {
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
