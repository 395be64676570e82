import type { ByteString } from '../../text/byte-string.ts'

/** A node with a place. `at` is its offset in the template, from which errors make the place. */
interface Placed {
  readonly at: number
}

interface Dot extends Placed {
  readonly kind: 'dot'
}

interface Nil extends Placed {
  readonly kind: 'nil'
}

interface Bool extends Placed {
  readonly kind: 'bool'
  readonly value: boolean
}

/** `too-big` is a number that fits only an unsigned integer. Using it is an error. */
export interface Num extends Placed {
  readonly kind: 'number'
  readonly written: ByteString
  readonly value: bigint | number | 'too-big'
}

export interface Str extends Placed {
  readonly kind: 'string'
  readonly written: ByteString
  readonly value: ByteString
}

/** `.a` or `.a.b`: fields of dot, outermost first. */
interface Field extends Placed {
  readonly kind: 'field'
  readonly names: readonly ByteString[]
}

/** `$v` or `$v.a`: the name with its sign, and fields of its value. */
export interface VariableNode extends Placed {
  readonly kind: 'variable'
  readonly name: ByteString
  readonly fields: readonly ByteString[]
}

export interface Identifier extends Placed {
  readonly kind: 'identifier'
  readonly name: ByteString
}

/** `(pipeline).a` or `function.a`: fields of a result. */
export interface Chain extends Placed {
  readonly kind: 'chain'
  readonly base: Identifier | Pipeline
  readonly names: readonly ByteString[]
}

export type Operand = Dot | Nil | Bool | Num | Str | Field | VariableNode | Identifier | Chain | Pipeline

export interface CallNode extends Placed {
  readonly kind: 'command'
  readonly words: readonly [Operand, ...Operand[]]
}

/** `$a, $b := command | command`. `assigns` is true for `=`. */
export interface Pipeline extends Placed {
  readonly kind: 'pipeline'
  readonly declares: readonly VariableNode[]
  readonly assigns: boolean
  readonly commands: readonly CallNode[]
}

export type Node = Operand | CallNode

interface Text {
  readonly kind: 'text'
  readonly bytes: ByteString
}

interface Action {
  readonly kind: 'action'
  readonly pipeline: Pipeline
}

/** An `if` or `with`. The arms are its first block and each `else if` or `else with`. */
export interface Choice {
  readonly kind: 'if' | 'with'
  readonly arms: readonly Arm[]
  readonly otherwise: readonly TemplateStatement[]
}

export interface Arm {
  readonly pipeline: Pipeline
  readonly body: readonly TemplateStatement[]
}

export interface Range {
  readonly kind: 'range'
  readonly pipeline: Pipeline
  readonly body: readonly TemplateStatement[]
  readonly otherwise: readonly TemplateStatement[]
}

interface Jump {
  readonly kind: 'break' | 'continue'
}

export type TemplateStatement = Text | Action | Choice | Range | Jump

/** Returns the pipelines of statements in their order, also those of blocks, but not those in parentheses. */
export function pipelinesIn(statements: readonly TemplateStatement[]): Pipeline[] {
  return statements.flatMap((statement) => {
    switch (statement.kind) {
      case 'action':
        return statement.pipeline
      case 'if':
      case 'with':
        return [...statement.arms.flatMap(pipelinesOfArm), ...pipelinesIn(statement.otherwise)]
      case 'range':
        return [...pipelinesOfArm(statement), ...pipelinesIn(statement.otherwise)]
      default:
        return []
    }
  })
}

function pipelinesOfArm({ pipeline, body }: Arm): Pipeline[] {
  return [pipeline, ...pipelinesIn(body)]
}

/** Formats a node as Go does: single spaces, ` | ` between commands, literals as the author wrote them. */
export function nodeText(node: Node): ByteString {
  switch (node.kind) {
    case 'dot':
      return '.'
    case 'nil':
      return 'nil'
    case 'bool':
      return String(node.value)
    case 'number':
    case 'string':
      return node.written
    case 'field':
      return `.${node.names.join('.')}`
    case 'variable':
      return [node.name, ...node.fields].join('.')
    case 'identifier':
      return node.name
    case 'chain':
      return chainText(node)
    case 'command':
      return commandText(node)
    case 'pipeline':
      return pipelineText(node)
  }
}

function chainText(chain: Chain): ByteString {
  return [inParentheses(chain.base), ...chain.names].join('.')
}

function commandText(command: CallNode): ByteString {
  return command.words.map(inParentheses).join(' ')
}

function pipelineText(pipeline: Pipeline): ByteString {
  const commands = pipeline.commands.map(commandText).join(' | ')
  if (pipeline.declares.length === 0) return commands
  return `${pipeline.declares.map(nodeText).join(', ')} ${pipeline.assigns ? '=' : ':='} ${commands}`
}

function inParentheses(node: Node): ByteString {
  return node.kind === 'pipeline' ? `(${pipelineText(node)})` : nodeText(node)
}
