import { TemplateError } from '../golang/template/errors.ts'
import { renderStatements } from '../golang/template/run/evaluate.ts'
import { Rendering } from '../golang/template/run/rendering.ts'
import type { Arm, Operand, Pipeline, TemplateStatement } from '../golang/template/syntax/ast.ts'
import { encodeSource, parseStatements } from '../golang/template/syntax/parser.ts'
import { type ByteString, decodeText, encodeText } from '../golang/text/byte-string.ts'
import { RUNBOOK } from './functions.ts'
import { checkDeclared, discoverInputs, type Input, inputsInBlocks } from './inputs.ts'

/** Returns all possible names of parameters, also inside blocks: `.a`, `$.a`, `index . "a"`. */
function usedNames(statements: readonly TemplateStatement[]): string[] {
  return [...new Set(statements.flatMap(ofStatement).map(decodeText))]
}

/** Returns no names if a parameter without a name may be there, too: then the names would be only a part. */
function namesIn(pipeline: Pipeline): string[] {
  if (mayHaveUnnamed(pipeline)) return []
  return [...new Set(ofPipeline(pipeline).map(decodeText))]
}

function ofStatement(statement: TemplateStatement): ByteString[] {
  switch (statement.kind) {
    case 'action':
      return ofPipeline(statement.pipeline)
    case 'if':
    case 'with':
      return [...statement.arms.flatMap(ofArm), ...statement.otherwise.flatMap(ofStatement)]
    case 'range':
      return [...ofArm(statement), ...statement.otherwise.flatMap(ofStatement)]
    default:
      return []
  }
}

function ofArm({ pipeline, body }: Arm): ByteString[] {
  return [...ofPipeline(pipeline), ...body.flatMap(ofStatement)]
}

function ofPipeline({ commands }: Pipeline): ByteString[] {
  return commands.flatMap(({ words }) => {
    const [callee] = words
    const isIndex = callee.kind === 'identifier' && callee.name === 'index'
    return words.flatMap((word) => ofOperand(word, isIndex))
  })
}

/** Returns the first name of `.a.b`, because a parameter is a text without fields. */
function ofOperand(operand: Operand, isIndexed: boolean): ByteString[] {
  switch (operand.kind) {
    case 'field':
    case 'chain':
      return operand.names.slice(0, 1)
    case 'variable':
      return operand.name === '$' ? operand.fields.slice(0, 1) : []
    case 'string':
      return isIndexed ? [operand.value] : []
    case 'pipeline':
      return ofPipeline(operand)
    default:
      return []
  }
}

/** Whether the dot, all parameters together, or a variable is in the pipeline. `index . "a"` has only a name. */
function mayHaveUnnamed({ commands }: Pipeline): boolean {
  return commands.some(({ words }) => {
    const [callee, , key] = words
    const isNamed = callee.kind === 'identifier' && callee.name === 'index' && key?.kind === 'string'
    return words.some((word, at) => !(isNamed && at === 1) && isUnnamed(word))
  })
}

function isUnnamed(operand: Operand): boolean {
  if (operand.kind === 'variable') return operand.name !== '$' || operand.fields.length === 0
  if (operand.kind === 'pipeline') return mayHaveUnnamed(operand)
  return operand.kind === 'dot'
}

export { TemplateError } from '../golang/template/errors.ts'
export type { Input } from './inputs.ts'

/** A place in the rendered bytes to which an expression wrote, and the names of the parameters in it. */
export interface ValuePlace {
  readonly start: number
  readonly end: number
  readonly names: readonly string[]
}

export interface RenderedTemplate {
  /** Only `decodeb64` and `slice` can make bytes that are not UTF-8. */
  readonly bytes: Buffer
  /** Variables from `asenv`. The key is `envvar:KEY`, and the value is in base64. */
  readonly env: Map<string, string>
  /** The first 200 places of values, in their order. */
  readonly places: readonly ValuePlace[]
}

export interface Template {
  /** The inputs in the order in which they first appear. */
  readonly inputs: readonly Input[]
  /** Parameters that only blocks of the template use. hoop does not list them. */
  readonly inBlocks: readonly Input[]
  /**
   * Ignores unknown parameters.
   * @throws TemplateError with the stage `parameters` if inputs are missing or break a declared rule, and
   * with the stage `render` if a function fails or a limit is reached
   */
  render(parameters: ReadonlyMap<string, string>): RenderedTemplate
}

/**
 * Reads Go's text/template with the functions of protocol.md 9.3 and a `map[string]string` of parameters.
 * The reader refuses `define`, `template` and `block`, complex constants, hexadecimal floating point
 * constants, and blocks and parentheses that are more than 200 levels deep. Rendering refuses `call` (no
 * value can be called), `%b`, `%x` and `%X` of a float64, patterns over 4 KiB, and more output or work than
 * the limits allow.
 * Errors have Go's words. But they show the type where Go shows the value: for ranging over a string,
 * comparing all parameters, and piping into `call`. `%p` of the parameters gives the text for a wrong verb,
 * where Go prints an address.
 * @throws TemplateError, stage `parse`
 */
export function parseTemplate(source: string): Template {
  const bytes = encodeSource(source)
  const statements = parseStatements(bytes, RUNBOOK)
  const { inputs, declarations } = discoverInputs(statements)
  const inBlocks = inputsInBlocks(statements, inputs, usedNames(statements))
  const declared = { inputs, declarations: [...declarations, ...inBlocks] }
  return { inputs, inBlocks, render: (parameters) => render(bytes, statements, declared, parameters) }
}

function render(
  source: ByteString,
  statements: readonly TemplateStatement[],
  { inputs, declarations }: ReturnType<typeof discoverInputs>,
  parameters: ReadonlyMap<string, string>,
): RenderedTemplate {
  const fields = new Map(
    [...parameters].map(([name, value]) => [encodeText(name), encodeText(value)] as const),
  )
  addAbsent(fields, inputs)
  const rendering = new Rendering(source, fields, RUNBOOK)
  checkDeclared(declarations, parameters, (work) => {
    rendering.charge(work)
  })
  renderStatements(rendering, fields, statements)
  const { output, environment } = rendering
  const places = rendering.places.map(({ pipeline, ...place }) => ({ ...place, names: namesIn(pipeline) }))
  return { bytes: Buffer.from(output, 'latin1'), env: environment, places }
}

/**
 * Adds missing inputs that have a default as empty values. The error names the other missing inputs in sorted
 * order. Hoop names them in random order.
 */
function addAbsent(fields: Map<ByteString, ByteString>, inputs: readonly Input[]): void {
  const absent = inputs.filter(({ name }) => !fields.has(name))
  const missing = absent.filter(({ optional }) => !optional).map(({ name }) => name)
  if (missing.length > 0) {
    throw new TemplateError('parameters', `the following inputs are missing [${missing.sort().join(' ')}]`)
  }
  for (const { name } of absent) fields.set(name, '')
}
