import type { Value } from '../../fmt/value.ts'
import type { ByteString } from '../../text/byte-string.ts'

export type ParameterType = 'string' | 'any'

export interface CallScope {
  /** Variables from `asenv`: `envvar:KEY` (text) to the base64 of the value. */
  readonly environment: Map<string, string>
  /** Patterns compiled in this rendering. */
  readonly patterns: Map<ByteString, (value: ByteString) => boolean>
  /** Adds work, in bytes. Throws when the rendering exceeds MAX_WORK. */
  charge(bytes: number): void
}

/** The caller checks the number of arguments, and that `string` ones are strings. Throws FunctionFailure. */
export interface TemplateFunction {
  readonly fixed: readonly ParameterType[]
  /** Type of any number of further arguments. */
  readonly rest?: ParameterType
  /** Work per byte of arguments and result, 1 by default, 0 when the cost does not depend on the size. */
  readonly workPerByte?: number
  readonly apply: (args: readonly Value[], scope: CallScope) => Value
}

function isString(value: Value): value is ByteString {
  return typeof value === 'string'
}

/** Makes a function of the piped string. */
export function ofValue(apply: (value: ByteString, scope: CallScope) => Value): TemplateFunction {
  return {
    fixed: ['string'],
    apply: (args, scope) => {
      const [value = ''] = args.filter(isString)
      return apply(value, scope)
    },
  }
}

/** Makes a function of a string from the author and the piped string. */
export function ofArgumentAndValue(
  apply: (argument: ByteString, value: ByteString, scope: CallScope) => Value,
): TemplateFunction {
  return {
    fixed: ['string', 'string'],
    apply: (args, scope) => {
      const [argument = '', value = ''] = args.filter(isString)
      return apply(argument, value, scope)
    },
  }
}

export interface Dialect {
  readonly name: ByteString
  readonly functions: ReadonlyMap<ByteString, TemplateFunction>
}
