import type { CallNode, Identifier, Operand } from '../syntax/ast.ts'
import type { ByteString } from '../../text/byte-string.ts'
import { FunctionFailure } from '../errors.ts'
import type { ParameterType, TemplateFunction } from './function.ts'
import { MAX_RENDERED_BYTES, WORK_PER_FIELD } from '../limits.ts'
import { nodeText } from '../syntax/node-text.ts'
import type { Rendering } from './rendering.ts'
import { isFields, isTrue, List, typeName, type Value } from '../../fmt/value.ts'

/** What a command gets from the one before it: nothing, or one value, which may be undefined. */
export type Piped = readonly [] | readonly [Value]

/** A call: the name, the node that a failure of the function itself is reported at, and what it is given. */
export interface Call {
  readonly callee: Identifier
  readonly reportedAt: Identifier | CallNode
  readonly args: readonly Operand[]
  readonly piped: Piped
}

export type Evaluate = (operand: Operand) => Value

/** Calls a function; `evaluate` is asked for the arguments only after their number was found right. */
export function callFunction(rendering: Rendering, call: Call, evaluate: Evaluate): Value {
  const { name } = call.callee
  rendering.node = call.callee
  const target = rendering.functionNamed(name)
  checkCount(rendering, name, target, call)
  const argument = (operand: Operand, type: ParameterType) =>
    argumentValue(rendering, operand, type, evaluate)
  if (name === 'and' || name === 'or') return shortCircuit(call, name === 'or', argument)
  const values = call.args.map((operand, index) => argument(operand, parameterType(target, index)))
  for (const value of call.piped) values.push(checked(rendering, value, parameterType(target, values.length)))
  if (name === 'call') return failAt(rendering, call, cannotCall(call.args[0], values[0]))
  return applied(rendering, call, target, values)
}

function checkCount(rendering: Rendering, name: ByteString, target: TemplateFunction, call: Call): void {
  const given = call.args.length + call.piped.length
  const wanted = target.fixed.length
  if (target.rest !== undefined && given < wanted) {
    rendering.fail(`wrong number of args for ${name}: want at least ${wanted} got ${call.args.length}`)
  }
  if (target.rest === undefined && given !== wanted) {
    rendering.fail(`wrong number of args for ${name}: want ${wanted} got ${given}`)
  }
}

function parameterType(target: TemplateFunction, index: number): ParameterType {
  return target.fixed[index] ?? target.rest ?? 'any'
}

/** The first argument that decides, or the last one; what comes after it is not evaluated. */
function shortCircuit(
  call: Call,
  decisive: boolean,
  argument: (operand: Operand, type: ParameterType) => Value,
): Value {
  let value: Value
  for (const operand of call.args) {
    value = argument(operand, 'any')
    if (isTrue(value) === decisive) return value
  }
  return call.piped.length === 0 ? value : call.piped[0]
}

function applied(
  rendering: Rendering,
  call: Call,
  target: TemplateFunction,
  values: readonly Value[],
): Value {
  const { workPerByte = 1 } = target
  if (workPerByte === 0) return attempt(rendering, call, target, values)
  rendering.charge(workPerByte * values.reduce<number>((sum, value) => sum + callWork(value), 0))
  const result = attempt(rendering, call, target, values)
  if (sizeOf(result) > MAX_RENDERED_BYTES) {
    failAt(rendering, call, `the result is longer than ${MAX_RENDERED_BYTES} bytes`)
  }
  rendering.charge(workPerByte * sizeOf(result))
  return result
}

function attempt(
  rendering: Rendering,
  call: Call,
  target: TemplateFunction,
  values: readonly Value[],
): Value {
  try {
    return target.apply(values, rendering)
  } catch (error) {
    if (error instanceof FunctionFailure) failAt(rendering, call, error.message)
    throw error
  }
}

function failAt(rendering: Rendering, call: Call, message: ByteString): never {
  rendering.node = call.reportedAt
  return rendering.fail(`error calling ${call.callee.name}: ${message}`)
}

/** Parameters and data have nothing to call. Go shows a piped value here, but it may be secret. */
function cannotCall(operand: Operand | undefined, callee: Value): ByteString {
  if (callee === undefined) return 'call of nil'
  return `non-function ${operand === undefined ? 'value' : nodeText(operand)} of type ${typeName(callee)}`
}

function sizeOf(value: Value): number {
  return measured(value, 0)
}

/** Work of going through a value, by bytes; fields are sorted before they are shown. */
export function callWork(value: Value): number {
  return measured(value, WORK_PER_FIELD)
}

function measured(value: Value, perField: number): number {
  if (typeof value === 'string') return value.length
  if (value instanceof List)
    return value.items.reduce<number>((sum, item) => sum + measured(item, perField), 1)
  if (!isFields(value)) return 1
  let size = 0
  for (const [name, field] of value) size += perField + name.length + measured(field, perField)
  return size
}

/** An argument brought to the type of its parameter. A constant of the wrong type fails with another message than a value. */
function argumentValue(
  rendering: Rendering,
  operand: Operand,
  type: ParameterType,
  evaluate: Evaluate,
): Value {
  rendering.node = operand
  if (type === 'string') {
    if (operand.kind === 'nil') rendering.fail('cannot assign nil to string')
    if (operand.kind === 'bool' || operand.kind === 'number') {
      rendering.fail(`expected string; found ${nodeText(operand)}`)
    }
  }
  return checked(rendering, operand.kind === 'nil' ? undefined : evaluate(operand), type)
}

function checked(rendering: Rendering, value: Value, type: ParameterType): Value {
  if (type === 'any' || typeof value === 'string') return value
  if (value === undefined) return rendering.fail('invalid value; expected string')
  return rendering.fail(`wrong type for value; expected string; got ${typeName(value)}`)
}
