import { AnyFields, isFields, isTrue, List, typeName, type Value } from '../../fmt/value.ts'
import type { ByteString } from '../../text/byte-string.ts'
import { FunctionFailure, MAX_RENDERED_BYTES, WORK_PER_FIELD, WORK_PER_NODE } from '../errors.ts'
import {
  type CallNode,
  type Identifier,
  nodeText,
  type Num,
  type Operand,
  type Pipeline,
} from '../syntax/ast.ts'
import type { ParameterType, TemplateFunction } from './function.ts'
import type { Rendering } from './rendering.ts'
import { type Evaluated, isKnown, Unknown, unknownAmong } from './unknown.ts'

/** The result of the previous command, which may be undefined. Empty if there is no previous command. */
type Piped = readonly [] | readonly [Evaluated]

/** Errors of the function itself name the node `reportedAt` as their place. */
interface Call {
  readonly callee: Identifier
  readonly reportedAt: Identifier | CallNode
  readonly args: readonly Operand[]
  readonly piped: Piped
}

type Evaluate = (operand: Operand) => Evaluated

/** Evaluates the arguments only if their number is right. */
function callFunction(rendering: Rendering, call: Call, evaluate: Evaluate): Evaluated {
  const { name } = call.callee
  rendering.node = call.callee
  const target = rendering.functionNamed(name)
  checkCount(rendering, name, target, call)
  const argument = (operand: Operand, type: ParameterType) =>
    argumentValue(rendering, operand, type, evaluate)
  if (name === 'and' || name === 'or') return shortCircuit(call, name === 'or', argument)
  const values = call.args.map((operand, index) => argument(operand, parameterType(target, index)))
  for (const value of call.piped) values.push(checked(rendering, value, parameterType(target, values.length)))
  const unknown = unknownArgument(rendering, name, values)
  if (unknown !== undefined) return target.applyUnknown?.(values, rendering) ?? unknown
  const known = values.filter(isKnown)
  if (name === 'call') return failAt(rendering, call, cannotCall(call.args[0], known[0]))
  return applied(rendering, call, target, known)
}

/** Only `index` reads one of all parameters. Other functions read them together. */
function unknownArgument(
  rendering: Rendering,
  name: ByteString,
  values: readonly Evaluated[],
): Unknown | undefined {
  const [item, key, ...others] = values
  if (name === 'index' && isKnown(item) && typeof key === 'string')
    return rendering.unknownField(item, key) ?? unknownAmong(others)
  return unknownAmong(values.map((value) => rendering.whole(value)))
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

/** Returns the first argument that decides the result, or the last one. Evaluates no later arguments. */
function shortCircuit(
  call: Call,
  decisive: boolean,
  argument: (operand: Operand, type: ParameterType) => Evaluated,
): Evaluated {
  let value: Evaluated
  for (const operand of call.args) {
    value = argument(operand, 'any')
    if (value instanceof Unknown || isTrue(value) === decisive) return value
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

/** Returns a message without a piped value, because the value may be secret. Go's message contains it. */
function cannotCall(operand: Operand | undefined, callee: Value): ByteString {
  if (callee === undefined) return 'call of nil'
  return `non-function ${operand === undefined ? 'value' : nodeText(operand)} of type ${typeName(callee)}`
}

function sizeOf(value: Value): number {
  return measured(value, 0)
}

/** Returns the work of reading a whole value, in bytes. Fields cost more, because they are sorted first. */
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

/** Evaluates an argument. As in Go, a constant of the wrong type has another error than a value. */
function argumentValue(
  rendering: Rendering,
  operand: Operand,
  type: ParameterType,
  evaluate: Evaluate,
): Evaluated {
  rendering.node = operand
  if (type === 'string') {
    if (operand.kind === 'nil') rendering.fail('cannot assign nil to string')
    if (operand.kind === 'bool' || operand.kind === 'number') {
      rendering.fail(`expected string; found ${nodeText(operand)}`)
    }
  }
  return checked(rendering, operand.kind === 'nil' ? undefined : evaluate(operand), type)
}

function checked(rendering: Rendering, value: Evaluated, type: ParameterType): Evaluated {
  if (type === 'any' || typeof value === 'string' || value instanceof Unknown) return value
  if (value === undefined) return rendering.fail('invalid value; expected string')
  return rendering.fail(`wrong type for value; expected string; got ${typeName(value)}`)
}

const NOTHING: Piped = []

/** Evaluates a pipeline. Its variables stay visible until the end of the enclosing block. */
export function evaluatePipeline(rendering: Rendering, dot: Value, pipeline: Pipeline): Evaluated {
  rendering.node = pipeline
  let piped: Piped = NOTHING
  for (const command of pipeline.commands) piped = [evaluateCommand(rendering, dot, command, piped)]
  const value = piped[0]
  for (const { name } of pipeline.declares) {
    if (pipeline.assigns) assign(rendering, name, value)
    else rendering.variables.declare(name, value)
  }
  return value
}

export function assign(rendering: Rendering, name: ByteString, value: Evaluated): void {
  const variable = rendering.variables.find(name)
  if (variable === undefined) rendering.fail(`undefined variable: ${name}`)
  variable.value = value
}

function evaluateCommand(rendering: Rendering, dot: Value, command: CallNode, piped: Piped): Evaluated {
  rendering.charge(WORK_PER_NODE)
  const [first, ...args] = command.words
  const isGiven = args.length > 0 || piped.length > 0
  switch (first.kind) {
    case 'identifier':
      return callFunction(rendering, { callee: first, reportedAt: command, args, piped }, (operand) =>
        evaluateOperand(rendering, dot, operand),
      )
    case 'field':
    case 'chain':
      return evaluateFields(rendering, dot, first, isGiven)
    case 'variable':
      return evaluateVariable(rendering, first, isGiven)
    case 'pipeline':
      refuseArguments(rendering, first, isGiven)
      return evaluatePipeline(rendering, dot, first)
    default:
      rendering.node = first
      refuseArguments(rendering, first, isGiven)
      return evaluateOperand(rendering, dot, first)
  }
}

function refuseArguments(rendering: Rendering, operand: Operand, isGiven: boolean): void {
  if (isGiven) rendering.fail(`can't give argument to non-function ${nodeText(operand)}`)
}

function evaluateOperand(rendering: Rendering, dot: Value, operand: Operand): Evaluated {
  rendering.charge(WORK_PER_NODE)
  rendering.node = operand
  switch (operand.kind) {
    case 'dot':
      return dot
    case 'nil':
      return rendering.fail('nil is not a command')
    case 'bool':
    case 'string':
      return operand.value
    case 'number':
      return evaluateNumber(rendering, operand)
    case 'field':
    case 'chain':
      return evaluateFields(rendering, dot, operand, false)
    case 'variable':
      return evaluateVariable(rendering, operand, false)
    case 'pipeline':
      return evaluatePipeline(rendering, dot, operand)
    case 'identifier':
      return callFunction(
        rendering,
        { callee: operand, reportedAt: operand, args: [], piped: NOTHING },
        () => undefined,
      )
  }
}

function evaluateNumber(rendering: Rendering, number: Num): Value {
  return number.value === 'too-big' ? rendering.fail(`${number.written} overflows int`) : number.value
}

function evaluateFields(
  rendering: Rendering,
  dot: Value,
  operand: Extract<Operand, { kind: 'field' | 'chain' }>,
  isGiven: boolean,
): Evaluated {
  rendering.node = operand
  const receiver = operand.kind === 'field' ? dot : evaluateOperand(rendering, dot, operand.base)
  return walkFields(rendering, receiver, operand.names, isGiven)
}

function evaluateVariable(
  rendering: Rendering,
  variable: Extract<Operand, { kind: 'variable' }>,
  isGiven: boolean,
): Evaluated {
  rendering.node = variable
  const found = rendering.variables.find(variable.name)
  if (found === undefined) rendering.fail(`undefined variable: ${variable.name}`)
  if (variable.fields.length === 0) refuseArguments(rendering, variable, isGiven)
  return walkFields(rendering, found.value, variable.fields, isGiven)
}

/** Returns the last field. Fields of an absent value are absent. @param isGiven the last has arguments */
function walkFields(
  rendering: Rendering,
  receiver: Evaluated,
  names: readonly ByteString[],
  isGiven: boolean,
): Evaluated {
  rendering.charge(names.length * WORK_PER_NODE)
  let value = receiver
  let within: Value
  for (const [index, name] of names.entries()) {
    if (value instanceof Unknown) return value
    if (isNull(value, within, names[index - 1])) rendering.fail(`nil pointer evaluating interface {}.${name}`)
    const inner = field(rendering, { value, within }, name, isGiven && index === names.length - 1)
    within = value
    value = rendering.unknownField(within, name) ?? inner
  }
  return value
}

/** Tests if a value is JSON's null. Unlike an absent value, null has no fields: reading one is an error. */
function isNull(value: Value, within: Value, name: ByteString | undefined): boolean {
  return value === undefined && name !== undefined && within instanceof AnyFields && within.has(name)
}

function field(
  rendering: Rendering,
  { value, within }: { readonly value: Value; readonly within: Value },
  name: ByteString,
  isGiven: boolean,
): Value {
  if (value === undefined) return undefined
  if (!isFields(value)) {
    const type = within instanceof AnyFields ? 'interface {}' : typeName(value)
    return rendering.fail(`can't evaluate field ${name} in type ${type}`)
  }
  if (isGiven) rendering.fail(`${name} is not a method but has arguments`)
  return value.get(name)
}
