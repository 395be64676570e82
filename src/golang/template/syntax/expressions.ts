import type { CallNode, Num, Operand, Pipeline } from './ast.ts'
import type { ByteString } from '../../text/byte-string.ts'
import { callFunction, type Piped } from '../run/calls.ts'
import { WORK_PER_NODE } from '../limits.ts'
import { nodeText } from './node-text.ts'
import type { Rendering } from '../run/rendering.ts'
import { AnyFields, isFields, typeName, type Value } from '../../fmt/value.ts'

const NOTHING: Piped = []

/** The value of a pipeline. Its variables are declared or assigned, and stay until the block around it ends. */
export function evaluatePipeline(rendering: Rendering, dot: Value, pipeline: Pipeline): Value {
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

/** Gives a variable that was declared before a new value. */
export function assign(rendering: Rendering, name: ByteString, value: Value): void {
  const variable = rendering.variables.find(name)
  if (variable === undefined) rendering.fail(`undefined variable: ${name}`)
  variable.value = value
}

function evaluateCommand(rendering: Rendering, dot: Value, command: CallNode, piped: Piped): Value {
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

function evaluateOperand(rendering: Rendering, dot: Value, operand: Operand): Value {
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
): Value {
  rendering.node = operand
  const receiver = operand.kind === 'field' ? dot : evaluateOperand(rendering, dot, operand.base)
  return walkFields(rendering, receiver, operand.names, isGiven)
}

function evaluateVariable(
  rendering: Rendering,
  variable: Extract<Operand, { kind: 'variable' }>,
  isGiven: boolean,
): Value {
  rendering.node = variable
  const found = rendering.variables.find(variable.name)
  if (found === undefined) rendering.fail(`undefined variable: ${variable.name}`)
  if (variable.fields.length === 0) refuseArguments(rendering, variable, isGiven)
  return walkFields(rendering, found.value, variable.fields, isGiven)
}

/** Fields one after the other; arguments would be for the last one. A field of nothing is nothing. */
function walkFields(
  rendering: Rendering,
  receiver: Value,
  names: readonly ByteString[],
  isGiven: boolean,
): Value {
  rendering.charge(names.length * WORK_PER_NODE)
  let value = receiver
  let within: Value
  for (const [index, name] of names.entries()) {
    if (isNull(value, within, names[index - 1])) rendering.fail(`nil pointer evaluating interface {}.${name}`)
    const inner = field(rendering, { value, within }, name, isGiven && index === names.length - 1)
    within = value
    value = inner
  }
  return value
}

/** JSON's null, which is there; what is absent has absent fields. */
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
