import type { CallNode, Operand, Pipeline } from '../../golang/template/syntax/ast.ts'
import { type ByteString, decodeText } from '../../golang/text/byte-string.ts'

/** A set of characters: their ASCII codes, and BEYOND for all characters outside ASCII. */
export type Characters = ReadonlySet<number>

const BEYOND = 128

export function charactersIn(text: string): Characters {
  return new Set(Array.from(text, (character) => Math.min(character.codePointAt(0) ?? 0, BEYOND)))
}

function span(first: string, last: string): string {
  const start = first.charCodeAt(0)
  return String.fromCharCode(...Array.from({ length: last.charCodeAt(0) - start + 1 }, (_, at) => start + at))
}

export const DIGITS = charactersIn(span('0', '9'))
export const WORD = charactersIn(`${span('a', 'z')}${span('A', 'Z')}${span('0', '9')}_`)
const BASE64 = charactersIn(`${span('a', 'z')}${span('A', 'Z')}${span('0', '9')}+/=`)
const URL_QUERY = charactersIn(`${span('a', 'z')}${span('A', 'Z')}${span('0', '9')}-_.~%+`)
export const NUMBER = charactersIn(`${span('0', '9')}+-.eE`)

export function union(...sets: readonly Characters[]): Characters {
  return new Set(sets.flatMap((set) => [...set]))
}

export function intersection(left: Characters, right: Characters): Characters {
  return new Set([...left].filter((code) => right.has(code)))
}

/** Describes the first character that is not allowed. */
export function firstOutside(characters: Characters, allowed: Characters): string | undefined {
  const code = [...characters].sort((a, b) => a - b).find((one) => !allowed.has(one))
  if (code === undefined) return undefined
  if (code === BEYOND) return 'characters that are not ASCII'
  return code === 0x20 ? 'a blank' : JSON.stringify(String.fromCharCode(code))
}

/** Patterns that admit only whole numbers, perhaps with a sign. */
const NUMBER_PATTERN = /^\^(?:-\?|\[-\+\]\?|\[\+-\]\?)?(?:\[0-9\]|\\d)(?:[+*]|\{\d+(?:,\d*)?\})?\$$/

function admitsNumbersOnly(pattern: string): boolean {
  return NUMBER_PATTERN.test(pattern)
}

/**
 * Returns the characters that a pattern admits, or undefined if they are not certain. Reads only a small part
 * of Go's syntax. Flags, negation, `.` and named classes are not read. A pattern must be anchored at both
 * ends, and must have no choice beside the anchors (`^a|b$`).
 */
function admittedBy(pattern: string): Characters | undefined {
  const anchored = /^(?:\^|\\A)([^]*)(?:\$|\\z)$/.exec(pattern)?.[1]
  if (anchored === undefined) return undefined
  const reading = { text: anchored, at: 0 }
  try {
    const admitted = readSequence(reading, 0)
    return reading.at === anchored.length ? admitted : undefined
  } catch (error) {
    if (error instanceof Unread) return undefined
    throw error
  }
}

class Unread extends Error {}

interface Reading {
  readonly text: string
  at: number
}

const MAX_GROUPS = 50
const QUANTIFIER = /(?:[*+?]|\{\d+(?:,\d*)?\})\??/y
const GROUP = /\((?:\?:)?(?!\?)/y
const SPECIAL = new Set('^$.|()[]{}*+?\\')

/** Reads up to the end of the text or of the enclosing group. */
function readSequence(reading: Reading, depth: number): Characters {
  if (depth > MAX_GROUPS) throw new Unread()
  const parts: Characters[] = []
  while (reading.at < reading.text.length && reading.text[reading.at] !== ')') {
    if (reading.text[reading.at] === '|') {
      if (depth === 0) throw new Unread()
      reading.at++
      continue
    }
    parts.push(readAtom(reading, depth))
    take(reading, QUANTIFIER)
  }
  return union(...parts)
}

function readAtom(reading: Reading, depth: number): Characters {
  if (reading.text[reading.at] === '(') return readGroup(reading, depth)
  if (reading.text[reading.at] === '[') return readClass(reading)
  if (reading.text[reading.at] === '\\') return readEscape(reading)
  const character = readCharacter(reading)
  if (SPECIAL.has(character)) throw new Unread()
  return charactersIn(character)
}

function readGroup(reading: Reading, depth: number): Characters {
  if (take(reading, GROUP) === undefined) throw new Unread()
  const inner = readSequence(reading, depth + 1)
  if (reading.text[reading.at++] !== ')') throw new Unread()
  return inner
}

function readClass(reading: Reading): Characters {
  reading.at++
  if (reading.text[reading.at] === '^' || reading.text[reading.at] === ']') throw new Unread()
  const parts: Characters[] = []
  while (reading.text[reading.at] !== ']') parts.push(readMember(reading))
  reading.at++
  return union(...parts)
}

function readMember(reading: Reading): Characters {
  if (reading.text[reading.at] === '[') throw new Unread()
  const first = reading.text[reading.at] === '\\' ? readEscape(reading) : charactersIn(readCharacter(reading))
  const [start, ...others] = first
  const isRange = reading.text[reading.at] === '-' && reading.text[reading.at + 1] !== ']'
  if (!isRange) return first
  reading.at++
  if (reading.text[reading.at] === '[' || reading.text[reading.at] === '\\') throw new Unread()
  const [end] = charactersIn(readCharacter(reading))
  if (start === undefined || end === undefined || others.length > 0) throw new Unread()
  return new Set(Array.from({ length: Math.max(end - start + 1, 0) }, (_, at) => start + at))
}

/** Reads `\d`, `\w`, or an escaped punctuation mark. */
function readEscape(reading: Reading): Characters {
  reading.at++
  const character = readCharacter(reading)
  if (character === 'd') return DIGITS
  if (character === 'w') return WORD
  if (/[A-Za-z0-9]/.test(character)) throw new Unread()
  return charactersIn(character)
}

function readCharacter(reading: Reading): string {
  const code = reading.text.codePointAt(reading.at)
  if (code === undefined) throw new Unread()
  const character = String.fromCodePoint(code)
  reading.at += character.length
  return character
}

function take(reading: Reading, expression: RegExp): string | undefined {
  expression.lastIndex = reading.at
  const [found] = expression.exec(reading.text) ?? []
  reading.at += found?.length ?? 0
  return found
}

/** What is known about a value without running the template. */
export interface Flow {
  /** Parameters whose text may be in the value. If there are none, the value is the author's own text. */
  readonly from: ReadonlySet<string>
  /** Undefined when the value can contain any characters. */
  readonly characters: Characters | undefined
  /** Whether the value is a number, or empty. */
  readonly isNumber?: boolean
  /** The function that has escaped the value, for one kind of text. */
  readonly escapedBy?: Escaping
  /** Quotes that a function has put around the value. Characters of the value may end them. */
  readonly marks?: "'" | '"'
}

export type Escaping = 'shellquote' | 'sqlquote' | 'sqlident'

export interface Scope {
  /** Facts that hold for every use. */
  readonly parameters: ReadonlyMap<string, Flow>
  readonly variables: { find(name: ByteString): { value: Flow } | undefined }
  /** Undefined when the dot is the map of parameters. */
  readonly dot: Flow | undefined
  /** Called for each value that `asenv` puts into a variable. */
  readonly onVariable: (variable: PassedVariable) => void
}

export interface PassedVariable {
  readonly command: CallNode
  /** Undefined when the name is made from the parameters in `names`. */
  readonly name: string | undefined
  readonly names: Flow
  readonly value: Flow
}

const EVERY_PARAMETER = '(all parameters)'
const OWN: Flow = { from: new Set(), characters: new Set() }

/** Returns the flow of a value of which only the origin is known. */
export function anything(...names: readonly string[]): Flow {
  return { from: new Set(names), characters: undefined }
}

/** Returns the flow of a pipeline. The caller declares the pipeline's variables. */
export function flowOf(pipeline: Pipeline, scope: Scope): Flow {
  let piped: Flow | undefined
  for (const command of pipeline.commands) piped = commandFlow(command, piped, scope)
  return piped ?? OWN
}

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
  /** The flows of the arguments, and then the flow of the piped value. */
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

/**
 * Returns the flow of one of Go's functions. The result is harmless if the function prints true, false or a
 * count.
 */
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

/** Returns the flow of `index . "name"`, which reads a parameter. */
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

/** Returns what is known about a value that may come from any of these flows. */
function joined(flows: readonly Flow[]): Flow {
  const [first, ...others] = flows.filter(({ from }) => from.size > 0)
  if (first === undefined) return OWN
  if (others.length === 0) return first
  const all = [first, ...others]
  // `characters` does not include the quotes and escapes of a value. So the characters are unknown if a flow
  // is quoted or escaped.
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
