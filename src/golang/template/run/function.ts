import type { Value } from '../../fmt/value.ts'
import type { ByteString } from '../../text/byte-string.ts'
import type { Evaluated } from './unknown.ts'

export type ParameterType = 'string' | 'any'

export interface CallScope {
  /** The variables that `asenv` has set. A key is `envvar:KEY` as text, a value is base64. */
  readonly environment: Map<string, string>
  /** Keys of variables that `asenv` will set, in a preview whose value for them is missing. */
  readonly unknownVariables: Set<string>
  /** The patterns that this rendering has compiled. */
  readonly patterns: Map<ByteString, (value: ByteString) => boolean>
  /** Adds work, in bytes. Throws when the rendering exceeds MAX_WORK. */
  charge(bytes: number): void
}

/** The caller checks the number of arguments, and that a `string` is a string. @throws FunctionFailure */
export interface TemplateFunction {
  readonly fixed: readonly ParameterType[]
  /** Type of all arguments after the fixed ones. Undefined if there cannot be more arguments. */
  readonly rest?: ParameterType
  /** Steps for each byte of arguments and result. The default is 1. 0 if the size does not matter. */
  readonly workPerByte?: number
  readonly apply: (args: readonly Value[], scope: CallScope) => Value
  /** Replaces `apply` if an argument is unknown. Without it, the result is unknown, too. */
  readonly applyUnknown?: (args: readonly Evaluated[], scope: CallScope) => Value
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
