import { RE2JS, RE2JSSyntaxException } from 're2js'
import { decodeText, encodeText, type ByteString } from '../../text/byte-string.ts'
import { FunctionFailure } from '../errors.ts'
import type { CallScope } from './function.ts'
import { MAX_PATTERN_BYTES, WORK_PER_MATCH, WORK_TO_COMPILE } from '../limits.ts'

/** Compiling is work before its size is known: this much takes some hundredths of a second. */
const MAX_PATTERN_GROWTH = 20_000

/** Work for each byte of input: some, and more with each compiled instruction that may look at it. */
const WORK_PER_BYTE = { always: 8, instruction: 0.5 }

/**
 * Whether a value contains a match of a Go regular expression. JavaScript's own engine is never used on it: it can
 * take exponential time, and `(?i)`, `\z` or `[[:alpha:]]` mean something else there.
 */
export function matches(expression: ByteString, value: ByteString, scope: CallScope): boolean {
  const known = scope.patterns.get(expression)
  if (known !== undefined) return known(value)
  scope.charge(workToCompile(expression))
  const compiled = compile(expression)
  const size = compiled.programSize()
  scope.charge(size * WORK_TO_COMPILE.instruction)
  const test = (input: ByteString) => {
    scope.charge(WORK_PER_MATCH + input.length * (WORK_PER_BYTE.always + size * WORK_PER_BYTE.instruction))
    return compiled.test(Buffer.from(input, 'latin1'))
  }
  scope.patterns.set(expression, test)
  return test(value)
}

function workToCompile(expression: ByteString): number {
  const { pattern, byte, unicodeClass } = WORK_TO_COMPILE
  const classes = expression.match(/\\p/gi)?.length ?? 0
  return pattern + Math.min(expression.length, MAX_PATTERN_BYTES) * byte + classes * unicodeClass
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
