import { FunctionFailure } from '../errors.ts'
import { integerOf, typeName, Uint8, type Fields, type List, type Value } from '../../fmt/value.ts'

/** Whether the first value equals any of the others. Values of different types are an error, nil equals only nil. */
export function isEqualToAny(first: Value, others: readonly Value[]): boolean {
  if (others.length === 0) throw new FunctionFailure('missing argument for comparison')
  return others.some((other) => isEqual(first, other))
}

function isEqual(left: Value, right: Value): boolean {
  if (left === undefined || right === undefined) return left === right
  const leftInteger = integerOf(left)
  const rightInteger = integerOf(right)
  if (leftInteger !== undefined && rightInteger !== undefined) return leftInteger === rightInteger
  if (typeName(left) !== typeName(right)) throw incompatible(left, right)
  if (typeof left === 'object') {
    // Go shows the value as well; ours may hold all parameters, or data, which may be secret.
    throw new FunctionFailure(`non-comparable type ${typeName(left)}`)
  }
  return left === right
}

/** Whether the first value comes before the second: two integers, two floats or two strings, compared by bytes. */
export function isLess(left: Value, right: Value): boolean {
  if (!isBasic(left) || !isBasic(right)) throw new FunctionFailure('invalid type for comparison')
  const leftInteger = integerOf(left)
  const rightInteger = integerOf(right)
  if (leftInteger !== undefined && rightInteger !== undefined) return leftInteger < rightInteger
  if (typeof left === 'string' && typeof right === 'string') return left < right
  if (typeof left === 'number' && typeof right === 'number') return left < right
  if (typeName(left) !== typeName(right)) throw incompatible(left, right)
  throw new FunctionFailure('invalid type for comparison')
}

function isBasic(value: Value): value is Exclude<Value, Fields | List | undefined> {
  return value instanceof Uint8 || (value !== undefined && typeof value !== 'object')
}

function incompatible(left: Exclude<Value, undefined>, right: Exclude<Value, undefined>): FunctionFailure {
  return new FunctionFailure(`incompatible types for comparison: ${typeName(left)} and ${typeName(right)}`)
}
