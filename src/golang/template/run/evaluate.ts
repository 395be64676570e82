import { type Choice, type Pipeline, pipelinesIn, type Range, type TemplateStatement } from '../syntax/ast.ts'
import { assign, callWork, evaluatePipeline } from './expressions.ts'
import { WORK_PER_NODE } from '../errors.ts'
import { shown } from '../../fmt/printf.ts'
import type { Rendering } from './rendering.ts'
import { Unknown } from './unknown.ts'
import {
  integerOf,
  isFields,
  isTrue,
  List,
  sortedNames,
  typeName,
  Uint8,
  type Fields,
  type Value,
} from '../../fmt/value.ts'

/**
 * How statements ended: after the last one, or by a jump for the enclosing range. Unknown: a block that a preview left
 * out has such a jump, so nothing is certain until the end of the range.
 */
type Flow = 'done' | 'break' | 'continue' | Unknown

export function renderStatements(
  rendering: Rendering,
  dot: Value,
  statements: readonly TemplateStatement[],
): Flow {
  for (const statement of statements) {
    rendering.charge(WORK_PER_NODE)
    const ending = renderStatement(rendering, dot, statement)
    if (ending !== 'done') return ending
  }
  return 'done'
}

function renderStatement(rendering: Rendering, dot: Value, statement: TemplateStatement): Flow {
  switch (statement.kind) {
    case 'text':
      rendering.write(statement.bytes)
      return 'done'
    case 'action':
      renderAction(rendering, dot, statement.pipeline)
      return 'done'
    case 'if':
    case 'with':
      return inScope(rendering, () => renderChoice(rendering, dot, statement))
    case 'range':
      return inScope(rendering, () => renderRange(rendering, dot, statement))
    case 'break':
    case 'continue':
      return statement.kind
  }
}

function inScope(rendering: Rendering, render: () => Flow): Flow {
  const mark = rendering.variables.mark()
  const ending = render()
  rendering.variables.release(mark)
  return ending
}

/** An action that declares or assigns variables writes nothing. */
function renderAction(rendering: Rendering, dot: Value, pipeline: Pipeline): void {
  const value = rendering.whole(evaluatePipeline(rendering, dot, pipeline))
  if (pipeline.declares.length > 0) return
  if (value instanceof Unknown) return rendering.writeGap(value, false)
  rendering.charge(callWork(value))
  rendering.writeValue(shown(value), pipeline)
}

function renderChoice(rendering: Rendering, dot: Value, choice: Choice): Flow {
  for (const { pipeline, body } of choice.arms) {
    const value = evaluatePipeline(rendering, dot, pipeline)
    if (value instanceof Unknown) return leaveOut(rendering, choice, value)
    if (isTrue(value)) return renderStatements(rendering, choice.kind === 'with' ? value : dot, body)
  }
  return renderStatements(rendering, dot, choice.otherwise)
}

/** Leaves out a block whose course depends on missing values: a preview never chooses for the user. */
function leaveOut(rendering: Rendering, block: Choice | Range, missing: Unknown): Flow {
  rendering.writeGap(missing, true)
  leaveOutRest(rendering, block, missing)
  return hasJump(block) ? missing : 'done'
}

/** After the block, the variables that it might have set are unknown. */
function leaveOutRest(rendering: Rendering, block: Choice | Range, missing: Unknown): Flow {
  rendering.leftOut.add(block)
  for (const { assigns, declares } of pipelinesIn([block])) {
    if (!assigns) continue
    for (const { name } of declares) {
      const variable = rendering.variables.find(name)
      if (variable !== undefined) variable.value = missing
    }
  }
  return 'done'
}

/** Tests if a statement may end a turn of the range around it. */
function hasJump(statement: TemplateStatement): boolean {
  switch (statement.kind) {
    case 'if':
    case 'with':
      return [...statement.arms.flatMap(({ body }) => body), ...statement.otherwise].some(hasJump)
    case 'range':
      return statement.otherwise.some(hasJump)
    default:
      return statement.kind === 'break' || statement.kind === 'continue'
  }
}

interface Turn {
  readonly index: Value
  readonly element: Value
}

function renderRange(rendering: Rendering, dot: Value, range: Range): Flow {
  const value = rendering.whole(evaluatePipeline(rendering, dot, range.pipeline))
  if (value instanceof Unknown) return leaveOut(rendering, range, value)
  const mark = rendering.variables.mark()
  let turned = false
  for (const turn of turnsOver(rendering, value, range.pipeline)) {
    turned = true
    setVariables(rendering, range.pipeline, turn)
    const ending = renderStatements(rendering, turn.element, range.body)
    rendering.variables.release(mark)
    if (ending instanceof Unknown) return leaveOutRest(rendering, range, ending)
    if (ending === 'break') break
  }
  return turned ? 'done' : renderStatements(rendering, dot, range.otherwise)
}

/** Returns the turns over fields, a list or a number. An absent value has no turns. */
function turnsOver(rendering: Rendering, value: Value, pipeline: Pipeline): Iterable<Turn> {
  if (value === undefined) return []
  const count = integerOf(value)
  if (count !== undefined) {
    if (pipeline.declares.length > 1) {
      rendering.fail(`can't use ${count} to iterate over more than one variable`)
    }
    return countedTurns(rendering, value, count)
  }
  if (value instanceof List) return listTurns(rendering, value)
  if (isFields(value)) return fieldTurns(rendering, value)
  // Go's message also contains the value. It may be a password, so this message has only the type.
  return rendering.fail(`range can't iterate over a value of type ${typeName(value)}`)
}

function* countedTurns(rendering: Rendering, kind: Value, count: bigint): Iterable<Turn> {
  for (let turn = 0n; turn < count; turn++) {
    rendering.charge(WORK_PER_NODE)
    yield { index: undefined, element: kind instanceof Uint8 ? new Uint8(Number(turn)) : turn }
  }
}

function* listTurns(rendering: Rendering, { items }: List): Iterable<Turn> {
  for (const [index, element] of items.entries()) {
    rendering.charge(WORK_PER_NODE)
    yield { index: BigInt(index), element }
  }
}

function* fieldTurns(rendering: Rendering, fields: Fields): Iterable<Turn> {
  for (const name of sortedNames(fields)) {
    rendering.charge(WORK_PER_NODE)
    yield { index: name, element: fields.get(name) }
  }
}

/** Sets the variables of a range. A single variable gets the element. Two variables get index and element. */
function setVariables(rendering: Rendering, { declares, assigns }: Pipeline, turn: Turn): void {
  const values = declares.length > 1 ? [turn.index, turn.element] : [turn.element]
  for (const [position, { name }] of declares.entries()) {
    if (assigns) {
      assign(rendering, name, values[position])
      continue
    }
    const declared = rendering.variables.recent(declares.length - position)
    if (declared !== undefined) declared.value = values[position]
  }
}
