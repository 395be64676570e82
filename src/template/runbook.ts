import { TemplateError } from '../golang/template/errors.ts'
import { renderStatements } from '../golang/template/run/evaluate.ts'
import { Rendering } from '../golang/template/run/rendering.ts'
import type { Arm, Operand, Pipeline, TemplateStatement } from '../golang/template/syntax/ast.ts'
import { encodeSource, parseStatements } from '../golang/template/syntax/parser.ts'
import { type ByteString, decodeText, encodeText } from '../golang/text/byte-string.ts'
import { RUNBOOK } from './functions.ts'
import { checkDeclared, type Discovered, discoverInputs, type Input } from './inputs.ts'

/**
 * Returns all names that may be a parameter's, anywhere in a template: `.a`, `$.a`, `index . "a"`, also
 * inside blocks.
 */
function usedNames(statements: readonly TemplateStatement[]): string[] {
  return [...new Set(statements.flatMap(ofStatement).map(decodeText))]
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

/** Returns the first name of `.a.b`: a parameter is a text and has no fields. */
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

export { TemplateError } from '../golang/template/errors.ts'
export type { Input } from './inputs.ts'

export interface RenderedTemplate {
  /** The rendered text; bytes that are not UTF-8 show as U+FFFD. */
  readonly text: string
  /** The exact bytes, for the agent. They differ from `text` only after `decodeb64` or `slice`. */
  readonly bytes: Uint8Array
  /** Variables from `asenv`: `envvar:KEY` to the base64 of the value. */
  readonly env: Map<string, string>
}

export interface Template {
  /** The parameters that the template asks for, in the order in which they first appear. */
  readonly inputs: readonly Input[]
  /** Names of all parameters that the template may use, also those inside blocks, which are no inputs. */
  readonly names: readonly string[]
  /**
   * Renders the template. Throws TemplateError: stage `parameters` when inputs are missing or break a
   * declared rule, `render` when a function fails or a limit is reached. Parameters that the template does
   * not know are ignored.
   */
  render(parameters: ReadonlyMap<string, string>): RenderedTemplate
}

/**
 * Reads a runbook template: Go's text/template with the functions of protocol.md 9.3 and a
 * `map[string]string` of parameters. Throws TemplateError (stage `parse`) with Go's wording, and for
 * templates over the size limit.
 * Refused when the template is read: `define`, `template` and `block`, complex constants and hexadecimal
 * floating point constants, blocks and parentheses more than 200 levels deep.
 * Refused when it is rendered: `call` (there is nothing to call), `%b`, `%x` and `%X` of a float64, patterns
 * over 4 KiB, and more output or work than the limits allow. Parameters have no methods and strings have no
 * fields; these fail with Go's own words.
 * Three of Go's errors show a value, and ours show its type: ranging over a string, comparing all parameters
 * as one value, and piping into `call`. `%p` of the parameters is a wrong verb, where Go prints an address.
 */
export function parseTemplate(source: string): Template {
  const bytes = encodeSource(source)
  const statements = parseStatements(bytes, RUNBOOK)
  const discovered = discoverInputs(statements)
  return {
    inputs: discovered.inputs,
    names: usedNames(statements),
    render: (parameters) => render(bytes, statements, discovered, parameters),
  }
}

function render(
  source: ByteString,
  statements: readonly TemplateStatement[],
  { inputs, declarations }: Discovered,
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
  return { text: decodeText(output), bytes: Buffer.from(output, 'latin1'), env: environment }
}

/**
 * Adds missing inputs with a default as empty. Other missing inputs are an error, sorted by name; hoop lists
 * them in random order.
 */
function addAbsent(fields: Map<ByteString, ByteString>, inputs: readonly Input[]): void {
  const absent = inputs.filter(({ name }) => !fields.has(name))
  const missing = absent.filter(({ optional }) => !optional).map(({ name }) => name)
  if (missing.length > 0) {
    throw new TemplateError('parameters', `the following inputs are missing [${missing.sort().join(' ')}]`)
  }
  for (const { name } of absent) fields.set(name, '')
}
