import { RE2JS, RE2JSSyntaxException } from 're2js'
import { decodeText, encodeText, type ByteString } from './bytestring.ts'
import { FunctionFailure } from './errors.ts'
import type { CallScope } from './function.ts'
import { MAX_PATTERN_BYTES, WORK_PER_PATTERN_INSTRUCTION } from './limits.ts'

/** Compiling is work before it can be charged: this much takes some tenths of a second. */
const MAX_PATTERN_GROWTH = 50_000

/** Compiled instructions that go through a byte of input for the price of one unit of work. */
const INSTRUCTIONS_PER_WORK = 32

/**
 * Whether a value contains a match of a Go regular expression. JavaScript's own engine is never used on it: it can
 * take exponential time, and `(?i)`, `\z` or `[[:alpha:]]` mean something else there.
 */
export function matches(expression: ByteString, value: ByteString, scope: CallScope): boolean {
  const known = scope.patterns.get(expression)
  if (known !== undefined) return known(value)
  const compiled = compile(expression)
  const size = compiled.programSize()
  scope.charge(size * WORK_PER_PATTERN_INSTRUCTION)
  const test = (input: ByteString) => {
    scope.charge(input.length * (1 + Math.floor(size / INSTRUCTIONS_PER_WORK)))
    return compiled.test(Buffer.from(input, 'latin1'))
  }
  scope.patterns.set(expression, test)
  return test(value)
}

function compile(expression: ByteString): RE2JS {
  if (expression.length > MAX_PATTERN_BYTES) {
    throw new FunctionFailure(`regexp error: the pattern is longer than ${MAX_PATTERN_BYTES} bytes`)
  }
  if (repetitions(expression) * expression.length > MAX_PATTERN_GROWTH) {
    throw new FunctionFailure('regexp error: the repetitions of the pattern make it too large')
  }
  const text = decodeText(expression)
  if (encodeText(text) !== expression) {
    throw new FunctionFailure(`regexp error: error parsing regexp: invalid UTF-8: \`${expression}\``)
  }
  try {
    return RE2JS.compile(text)
  } catch (error) {
    throw new FunctionFailure(`regexp error: ${encodeText(reason(error))}`)
  }
}

/** The counts of `{n}`, `{n,}` and `{n,m}` added up: each repeats at most the whole pattern that often. */
function repetitions(expression: ByteString): number {
  const counts = expression.match(/\{\d+(,\d*)?\}/g) ?? []
  return counts.reduce((sum, count) => sum + Math.max(...(count.match(/\d+/g) ?? []).map(Number)), 0)
}

function reason(error: unknown): string {
  if (error instanceof RE2JSSyntaxException) {
    return `error parsing regexp: ${error.getDescription()}: \`${error.getPattern() ?? ''}\``
  }
  return 'the pattern cannot be compiled'
}
