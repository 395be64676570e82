import { type Node, nodeText, type Pipeline } from '../syntax/ast.ts'
import { decodeText, type ByteString } from '../../text/byte-string.ts'
import type { CallScope, Dialect, TemplateFunction } from './function.ts'
import { FunctionFailure, MAX_RENDERED_BYTES, MAX_WORK, TemplateError } from '../errors.ts'
import type { Value } from '../../fmt/value.ts'
import { Variables } from '../syntax/reader.ts'

/** Output of an action: offsets in bytes, and the action. */
interface Written {
  readonly start: number
  readonly end: number
  readonly pipeline: Pipeline
}

/** Maximum number of places of actions that are kept. A loop may write millions. */
const MAX_PLACES = 200

/** State of one rendering. Errors name `node` as their place. It is Go's choice, even if the place is odd. */
export class Rendering implements CallScope {
  readonly variables = new Variables<Value>()
  readonly environment = new Map<string, string>()
  /** Where actions have written the first values. Empty values have no place. */
  readonly places: Written[] = []
  readonly patterns: CallScope['patterns'] = new Map()
  node: Node | undefined
  readonly #source: ByteString
  readonly #output: ByteString[] = []
  #length = 0
  #work = 0

  readonly #dialect: Dialect

  constructor(source: ByteString, dot: Value, dialect: Dialect) {
    this.#dialect = dialect
    this.#source = source
    this.variables.declare('$', dot)
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
