import { encodeText, type ByteString } from '../golang/text/byte-string.ts'
import { MAX_TEMPLATE_DEPTH, TemplateError } from '../golang/template/errors.ts'
import { renderStatements } from '../golang/template/run/evaluate.ts'
import { GO_FUNCTIONS } from '../golang/template/run/go-functions.ts'
import type { Dialect } from '../golang/template/run/function.ts'
import { encodeSource, parseStatements } from '../golang/template/syntax/parser.ts'
import { Rendering } from '../golang/template/run/rendering.ts'
import { AnyFields, List, type Fields, type Value } from '../golang/fmt/value.ts'

/** Scripts have only Go's own functions. */
const SCRIPT: Dialect = { name: 'script', functions: new Map(Object.entries(GO_FUNCTIONS)) }

export type TemplateData = Readonly<Record<string, unknown>>

/**
 * Renders Go's text/template for a gateway's own requests. The limits are those of runbooks (runbook.ts).
 * `data` is the dot. If `data` is null, the dot is an empty map.
 * @throws TemplateError, stage `parse` or `render`; its message never contains a value of the data
 */
export function renderScript(source: string, data: TemplateData | null): Buffer {
  const bytes = encodeSource(source)
  const statements = parseStatements(bytes, SCRIPT)
  const dot = fieldsOf(data ?? {}, MAX_TEMPLATE_DEPTH)
  const rendering = new Rendering(bytes, dot, SCRIPT)
  renderStatements(rendering, dot, statements)
  return Buffer.from(rendering.output, 'latin1')
}

function fieldsOf(data: TemplateData, levels: number): Fields {
  const named = Object.entries(data).map(([name, value]): [ByteString, Value] => [
    encodeText(name),
    toTemplateValue(value, levels - 1),
  ])
  return new AnyFields(named)
}

/** Converts JSON like Go's decoder for `any`: every number becomes a float64. */
function toTemplateValue(json: unknown, levels: number): Value {
  if (levels < 0)
    throw new TemplateError('render', `the data is nested more than ${MAX_TEMPLATE_DEPTH} levels deep`)
  if (typeof json === 'string') return encodeText(json)
  if (typeof json === 'number' || typeof json === 'boolean') return json
  if (Array.isArray(json)) return new List(json.map((item) => toTemplateValue(item, levels - 1)))
  return typeof json === 'object' && json !== null ? fieldsOf(json as TemplateData, levels) : undefined
}
