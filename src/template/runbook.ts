import { TemplateError } from '../golang/template/errors.ts'
import { renderStatements } from '../golang/template/run/evaluate.ts'
import { Rendering } from '../golang/template/run/rendering.ts'
import { type Pipeline, pipelinesIn, type TemplateStatement } from '../golang/template/syntax/ast.ts'
import { encodeSource, parseStatements } from '../golang/template/syntax/parser.ts'
import { type ByteString, decodeText, encodeText } from '../golang/text/byte-string.ts'
import { checkOneDefault, type Defaults, defaultsOf } from './defaults.ts'
import { firstRunbook, type FirstRunbook } from './first-runbook.ts'
import { RUNBOOK } from './functions.ts'
import { checkDeclared, type Discovered, discoverInputs, type Input, inputsInBlocks } from './inputs.ts'
import { declaredLists, withLists } from './options-from.ts'
import { namesIn, usedNames } from './parameter-names.ts'

export { TemplateError } from '../golang/template/errors.ts'
export { MAX_PLACES } from '../golang/template/run/rendering.ts'
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
  /** The first MAX_PLACES places of values, in their order. */
  readonly places: readonly ValuePlace[]
}

/** A placeholder of a preview, in the place of what needs missing values. */
interface PreviewGap {
  readonly start: number
  readonly end: number
  /** Names of the missing parameters. */
  readonly names: readonly string[]
  /** Whether a whole block is missing, such as an `if` whose condition needs a missing value. */
  readonly isPart: boolean
}

/** What a rendering can be foreseen to be while values are missing. It has no `bytes`, so that nobody can run it. */
export interface TemplatePreview {
  /** Names of the required parameters without a value. If there are none, `text` is what would run. */
  readonly missing: readonly string[]
  readonly text: Buffer
  readonly env: ReadonlyMap<string, string>
  /** Keys of the variables that `asenv` sets as soon as their values are there. */
  readonly unknownVariables: ReadonlySet<string>
  /** Keys of the variables in blocks that were left out. Undefined: a key that is no plain text. */
  readonly possibleVariables: readonly (string | undefined)[]
  /** The first MAX_PLACES places of values and gaps, in their order. */
  readonly places: readonly (ValuePlace | PreviewGap)[]
}

export interface Template {
  /** The inputs in the order in which they first appear. */
  readonly inputs: readonly Input[]
  /** Parameters that only blocks of the template use. hoop does not list them. */
  readonly inBlocks: readonly Input[]
  /** The runbook that runs before this one, as its dry run. hoop ignores it. */
  readonly first?: FirstRunbook
  /** What the rendering takes for an empty value, by parameter. */
  readonly defaults: Defaults
  /**
   * Ignores unknown parameters.
   * @throws TemplateError with the stage `parameters` if inputs are missing or break a declared rule, and
   * with the stage `render` if a function fails or a limit is reached
   */
  render(parameters: ReadonlyMap<string, string>): RenderedTemplate
  /**
   * Renders with a placeholder for each expression and each block that needs a missing value. Equals `render` if no
   * value is missing.
   * @throws TemplateError as `render`, but not for missing inputs
   */
  preview(parameters: ReadonlyMap<string, string>): TemplatePreview
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
  const { inputs: found, declarations } = discoverInputs(statements)
  const foundInBlocks = inputsInBlocks(statements, found, usedNames(statements))
  const lists = declaredLists(source)
  const [inputs = [], inBlocks = []] = withLists(lists, found, foundInBlocks)
  const defaults = defaultsOf(statements)
  const declared = { inputs, declarations: [...declarations, ...inBlocks] }
  const first = firstRunbook(bytes)
  checkOneDefault(defaults, lists, first)
  const rendering = (parameters: ReadonlyMap<string, string>, missing: readonly string[]) =>
    rendered({ source: bytes, statements, declared, parameters, missing })
  return {
    inputs,
    inBlocks,
    defaults,
    ...(first !== undefined && { first }),
    render: (parameters) => {
      refuseMissing(inputs.filter((input) => isMissing(input, parameters)))
      const { output, environment: env, places } = rendering(parameters, [])
      return { bytes: Buffer.from(output, 'latin1'), env, places: places.flatMap(valuePlace) }
    },
    preview: (parameters) => {
      const missing = missingIn(declared, parameters)
      const { output, environment: env, places, unknownVariables, leftOut } = rendering(parameters, missing)
      const text = Buffer.from(output, 'latin1')
      const possibleVariables = pipelinesIn([...leftOut]).flatMap(variablesIn)
      return { missing, text, env, unknownVariables, possibleVariables, places: places.map(previewPlace) }
    },
  }
}

type Parameters = ReadonlyMap<string, string>
type Place = Rendering['places'][number]

interface RenderingOf {
  readonly source: ByteString
  readonly statements: readonly TemplateStatement[]
  readonly declared: Discovered
  readonly parameters: Parameters
  /** Names of the parameters whose values are unknown. */
  readonly missing: readonly string[]
}

function rendered({ source, statements, declared, parameters, missing }: RenderingOf): Rendering {
  const { inputs, declarations } = declared
  const absent = inputs.filter(({ name }) => !parameters.has(name)).map(({ name }) => [name, ''] as const)
  const fields = new Map(
    [...parameters, ...absent].map(([name, value]) => [encodeText(name), encodeText(value)] as const),
  )
  const rendering = new Rendering(source, fields, RUNBOOK, new Set(missing.map(encodeText)))
  checkDeclared(declarations, parameters, (work) => {
    rendering.charge(work)
  })
  renderStatements(rendering, fields, statements)
  return rendering
}

function isMissing({ name, optional }: Input, parameters: Parameters): boolean {
  return !optional && !parameters.has(name)
}

/** Names missing inputs in sorted order. Hoop names them in random order. */
function refuseMissing(missing: readonly Input[]): void {
  if (missing.length === 0) return
  const names = missing.map(({ name }) => name).sort()
  throw new TemplateError('parameters', `the following inputs are missing [${names.join(' ')}]`)
}

/** An empty value is missing, too, if a declaration outside of blocks is `required`. */
function missingIn({ inputs, declarations }: Discovered, parameters: Parameters): string[] {
  const isRequired = (input: Input) =>
    declarations.some(
      ({ name, optional, required }) => name === input.name && !optional && required !== undefined,
    )
  return inputs
    .filter(
      (input) =>
        isMissing(input, parameters) || (isRequired(input) && (parameters.get(input.name) ?? '') === ''),
    )
    .map(({ name }) => name)
}

function valuePlace(place: Place): ValuePlace[] {
  return 'pipeline' in place ? [{ start: place.start, end: place.end, names: namesIn(place.pipeline) }] : []
}

function previewPlace(place: Place): ValuePlace | PreviewGap {
  const { start, end } = place
  if ('pipeline' in place) return { start, end, names: namesIn(place.pipeline) }
  return { start, end, names: place.missing.names.map(decodeText), isPart: place.isPart }
}

/** Returns the keys of `asenv` in a pipeline. Undefined: a key that is no plain text. */
function variablesIn({ commands }: Pipeline): (string | undefined)[] {
  return commands.flatMap(({ words }) => {
    const [callee, key] = words
    const nested = words.flatMap((word) => (word.kind === 'pipeline' ? variablesIn(word) : []))
    if (callee.kind !== 'identifier' || callee.name !== 'asenv') return nested
    return [key?.kind === 'string' ? decodeText(key.value) : undefined, ...nested]
  })
}
