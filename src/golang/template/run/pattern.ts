import type { RE2JS } from 're2js'
import { decodeText, encodeText, type ByteString } from '../../text/byte-string.ts'
import { compileRegexp, MAX_PATTERN_BYTES, PatternError } from '../../text/regexp.ts'
import { FunctionFailure, WORK_PER_MATCH, WORK_TO_COMPILE } from '../errors.ts'
import type { CallScope } from './function.ts'

/** Work per byte of input: a fixed part, and a part per compiled instruction, which may read the byte. */
const WORK_PER_BYTE = { always: 8, instruction: 0.5 }

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
  const text = decodeText(expression)
  if (expression.length <= MAX_PATTERN_BYTES && encodeText(text) !== expression) {
    throw new FunctionFailure(`regexp error: error parsing regexp: invalid UTF-8: \`${expression}\``)
  }
  try {
    return compileRegexp(text)
  } catch (error) {
    throw error instanceof PatternError
      ? new FunctionFailure(`regexp error: ${encodeText(error.message)}`)
      : error
  }
}
