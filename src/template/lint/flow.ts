import type { CallNode, Operand, Pipeline } from '../../golang/template/syntax/ast.ts'
import { decodeText, type ByteString } from '../../golang/text/byte-string.ts'
import { admitsNumbersOnly, admittedBy } from './admitted.ts'
import {
  BASE64,
  charactersIn,
  intersection,
  NUMBER,
  union,
  URL_QUERY,
  type Characters,
} from './characters.ts'

/** What is known about a value without running the template. If nothing is known, it may be anything. */
export interface Flow {
  /** Parameters whose text may be in the value. Without any, it is the author's own text. */
  readonly from: ReadonlySet<string>
  /** The characters that it can contain; undefined for any. */
  readonly characters: Characters | undefined
  /** Whether it is a number, or empty. */
  readonly isNumber?: boolean
  /** The function that has escaped it, for one kind of text. */
  readonly escapedBy?: Escaping
  /** Quotes that a function has put around it. Characters of the value may end them. */
  readonly marks?: "'" | '"'
}

export type Escaping = 'shellquote' | 'sqlquote' | 'sqlident'

export interface Scope {
  /** What is known of each parameter, wherever it is used. */
  readonly parameters: ReadonlyMap<string, Flow>
  readonly variables: { find(name: ByteString): { value: Flow } | undefined }
  /** Dot; undefined stands for the parameters themselves. */
  readonly dot: Flow | undefined
  /** Called for each value that `asenv` puts into a variable. */
  readonly onVariable: (variable: PassedVariable) => void
}

/** A variable of the environment with a value from the template. */
export interface PassedVariable {
  readonly command: CallNode
  /** Undefined when it is made of parameters (those in `names`). */
  readonly name: string | undefined
  readonly names: Flow
  readonly value: Flow
}

const EVERY_PARAMETER = '(all parameters)'
const OWN: Flow = { from: new Set(), characters: new Set() }

/** A value of which only the origin is known. */
export function anything(...names: readonly string[]): Flow {
  return { from: new Set(names), characters: undefined }
}

/** The value of a pipeline. The caller declares its variables. */
export function flowOf(pipeline: Pipeline, scope: Scope): Flow {
  let piped: Flow | undefined
  for (const command of pipeline.commands) piped = commandFlow(command, piped, scope)
  return piped ?? OWN
}

/** The result of one step of a pipeline, be it the first or a later one. */
export function commandFlow(command: CallNode, piped: Flow | undefined, scope: Scope): Flow {
  const [callee, ...words] = command.words
  if (callee.kind !== 'identifier') return operandFlow(callee, scope)
  const args = words.map((word) => operandFlow(word, scope))
  const values = piped === undefined ? args : [...args, piped]
  return called(decodeText(callee.name), { command, words, values, scope })
}

interface Called {
  readonly command: CallNode
  readonly words: readonly Operand[]
  /** The arguments, followed by the piped value. */
  readonly values: readonly Flow[]
  readonly scope: Scope
}

function called(name: string, { command, words, values, scope }: Called): Flow {
  const value = values.at(-1) ?? OWN
  switch (name) {
    case 'required':
    case 'type':
    case 'description':
    case 'placeholder':
    case 'minlength':
    case 'maxlength':
    case 'order':
    case 'options':
      return value
    case 'default':
      return joined([value, values[0] ?? OWN])
    case 'pattern':
      return matched(value, literal(words[0]))
    case 'asenv':
      scope.onVariable({ command, name: literal(words[0]), names: values[0] ?? OWN, value })
      return OWN
    case 'squote':
      return marked(value, "'")
    case 'dquote':
      return marked(value, '"')
    case 'shellquote':
    case 'sqlquote':
    case 'sqlident':
      return { from: value.from, characters: undefined, escapedBy: name }
    case 'encodeb64':
      return { from: value.from, characters: BASE64 }
    case 'urlquery':
      return { from: joined(values).from, characters: URL_QUERY }
    default:
      return callOfGo(name, { command, words, values, scope })
  }
}

/** Go's own functions. Those that print true, false or a count are harmless. */
function callOfGo(name: string, { words, values, scope }: Called): Flow {
  const from = joined(values).from
  switch (name) {
    case 'not':
    case 'eq':
    case 'ne':
    case 'lt':
    case 'le':
    case 'gt':
    case 'ge':
      return OWN
    case 'len':
      return { from, characters: NUMBER, isNumber: true }
    case 'and':
    case 'or':
      return joined(values)
    case 'index':
      return indexed(words, scope) ?? { from, characters: undefined }
    default:
      return from.size === 0 ? OWN : { from, characters: undefined }
  }
}

/** `index . "name"` is the parameter of that name. */
function indexed(words: readonly Operand[], scope: Scope): Flow | undefined {
  const [first] = words
  const name = literal(words[1])
  const isParameters = first?.kind === 'dot' || (first?.kind === 'variable' && first.name === '$')
  if (!isParameters || name === undefined || words.length !== 2) return undefined
  return parameterFlow(name, scope)
}

function operandFlow(operand: Operand, scope: Scope): Flow {
  switch (operand.kind) {
    case 'dot':
      return scope.dot ?? anything(EVERY_PARAMETER)
    case 'field':
      if (scope.dot !== undefined || operand.names.length > 1) return anything(operand.names.join('.'))
      return parameterFlow(decodeText(operand.names[0] ?? ''), scope)
    case 'variable':
      return variableFlow(operand.name, operand.fields, scope)
    case 'pipeline':
      return flowOf(operand, scope)
    case 'chain':
      return anything(operand.names.join('.'))
    case 'identifier':
      return commandFlow({ kind: 'command', at: operand.at, words: [operand] }, undefined, scope)
    case 'string':
      return { from: new Set(), characters: charactersIn(decodeText(operand.value)) }
    default:
      return OWN
  }
}

function variableFlow(name: ByteString, fields: readonly ByteString[], scope: Scope): Flow {
  const [field] = fields
  if (name === '$') {
    return field === undefined ? anything(EVERY_PARAMETER) : parameterFlow(decodeText(field), scope)
  }
  return scope.variables.find(name)?.value ?? anything(name)
}

function parameterFlow(name: string, { parameters }: Scope): Flow {
  return parameters.get(name) ?? anything(name)
}

/** What is known about a value that is one of several. */
function joined(flows: readonly Flow[]): Flow {
  const [first, ...others] = flows.filter(({ from }) => from.size > 0)
  if (first === undefined) return OWN
  if (others.length === 0) return first
  const all = [first, ...others]
  // Quotes and escapes are not part of the value's characters. Where they differ, nothing is known.
  const isPlain = (flow: Flow) => flow.marks === undefined && flow.escapedBy === undefined
  const known = all.flatMap((flow) =>
    flow.characters !== undefined && isPlain(flow) ? [flow.characters] : [],
  )
  return {
    from: new Set(all.flatMap(({ from }) => [...from])),
    characters: known.length === all.length ? union(...known) : undefined,
  }
}

function matched(value: Flow, pattern: string | undefined): Flow {
  if (pattern === undefined || value.escapedBy !== undefined || value.marks !== undefined) return value
  const admitted = admittedBy(pattern)
  if (admitted === undefined) return value
  const { characters = admitted, from, isNumber = false } = value
  return {
    from,
    characters: intersection(characters, admitted),
    isNumber: isNumber || admitsNumbersOnly(pattern),
  }
}

function marked(value: Flow, marks: "'" | '"'): Flow {
  if (value.from.size === 0) return OWN
  const isPlain = value.escapedBy === undefined && value.marks === undefined
  return { from: value.from, characters: isPlain ? value.characters : undefined, marks }
}

function literal(operand: Operand | undefined): string | undefined {
  return operand?.kind === 'string' ? decodeText(operand.value) : undefined
}
