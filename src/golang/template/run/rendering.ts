import { type Node, nodeText, type Pipeline, type TemplateStatement } from '../syntax/ast.ts'
import { decodeText, encodeText, type ByteString } from '../../text/byte-string.ts'
import type { CallScope, Dialect, TemplateFunction } from './function.ts'
import { FunctionFailure, MAX_RENDERED_BYTES, MAX_WORK, TemplateError } from '../errors.ts'
import type { Value } from '../../fmt/value.ts'
import { Variables } from '../syntax/reader.ts'
import { type Evaluated, Unknown } from './unknown.ts'

/** A place of the output: offsets in bytes. */
interface Place {
  readonly start: number
  readonly end: number
}

/** Output of an action, and the action. */
interface Written extends Place {
  readonly pipeline: Pipeline
}

/** A placeholder of a preview. `isPart`: for a whole block, whose course depends on missing values. */
interface Gap extends Place {
  readonly missing: Unknown
  readonly isPart: boolean
}

/** Maximum number of places that are kept. A loop may write millions. */
export const MAX_PLACES = 200

/** State of one rendering. Errors name `node` as their place. It is Go's choice, even if the place is odd. */
export class Rendering implements CallScope {
  readonly variables = new Variables<Evaluated>()
  readonly environment = new Map<string, string>()
  readonly unknownVariables = new Set<string>()
  /** Blocks that a preview leaves out, because their course depends on missing values. */
  readonly leftOut = new Set<TemplateStatement>()
  /** Where actions have written the first values. Empty values have no place. */
  readonly places: (Written | Gap)[] = []
  readonly patterns: CallScope['patterns'] = new Map()
  node: Node | undefined
  readonly #source: ByteString
  readonly #output: ByteString[] = []
  #length = 0
  #work = 0

  readonly #dialect: Dialect
  readonly #dot: Value
  readonly #missing: ReadonlySet<ByteString>

  /** @param missing fields of `dot` whose values are unknown: only a preview has any */
  constructor(
    source: ByteString,
    dot: Value,
    dialect: Dialect,
    missing: ReadonlySet<ByteString> = new Set<ByteString>(),
  ) {
    this.#dialect = dialect
    this.#source = source
    this.#dot = dot
    this.#missing = missing
    this.variables.declare('$', dot)
  }

  /** Returns an Unknown for a missing field. @param within the fields from which it is read */
  unknownField(within: Value, name: ByteString): Unknown | undefined {
    return within === this.#dot && this.#missing.has(name) ? new Unknown([name]) : undefined
  }

  /** Returns an Unknown for all parameters together, if one of them is missing. */
  whole(value: Evaluated): Evaluated {
    return value === this.#dot && this.#missing.size > 0 ? new Unknown([...this.#missing]) : value
  }

  get output(): ByteString {
    return this.#output.join('')
  }

  functionNamed(name: ByteString): TemplateFunction {
    const found = this.#dialect.functions.get(name)
    if (found === undefined) throw new FunctionFailure(`function ${name} not defined`)
    return found
  }

  write(bytes: ByteString): void {
    this.#length += bytes.length
    if (this.#length > MAX_RENDERED_BYTES) {
      throw new TemplateError('render', `the rendered text is longer than ${MAX_RENDERED_BYTES} bytes`)
    }
    this.#output.push(bytes)
  }

  writeValue(bytes: ByteString, pipeline: Pipeline): void {
    const start = this.#length
    this.write(bytes)
    if (bytes.length > 0 && this.places.length < MAX_PLACES)
      this.places.push({ start, end: this.#length, pipeline })
  }

  /** Writes a placeholder, which no run can reach: only a preview has an Unknown. */
  writeGap(missing: Unknown, isPart: boolean): void {
    const names = missing.names.map(decodeText).join(', ')
    const start = this.#length
    this.write(encodeText(isPart ? `⟨depends on ${names}⟩` : `⟨${names}⟩`))
    if (this.places.length < MAX_PLACES) this.places.push({ start, end: this.#length, missing, isPart })
  }

  charge(bytes: number): void {
    this.#work += bytes
    if (this.#work > MAX_WORK) {
      throw new TemplateError(
        'render',
        'the template needs too much work to render; shorten its loops or values',
      )
    }
  }

  fail(message: ByteString): never {
    const { node } = this
    const place =
      node === undefined
        ? ''
        : `${this.#place(node.at)}: executing "${this.#dialect.name}" at <${nodeText(node)}>: `
    throw new TemplateError('render', decodeText(`template: ${place}${message}`))
  }

  /** Returns `name:line:column`; the column is in bytes from 0. */
  #place(at: number): string {
    const before = this.#source.slice(0, at)
    const lineStart = before.lastIndexOf('\n') + 1
    return `${this.#dialect.name}:${before.split('\n').length}:${at - lineStart}`
  }
}
