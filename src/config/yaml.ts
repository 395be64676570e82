import { type Pair, isMap, isScalar, LineCounter } from 'yaml'
import { DEEPEST, placeIn, readYaml } from '../basics/settings/yaml.ts'

/** A name in the file that holds no further names. */
export interface Leaf {
  /** Dotted, however it was nested; undefined when it is not a text. */
  readonly name: string | undefined
  /** Null when left empty, undefined when it is a list, an alias or anything else that is no text. */
  readonly content: string | null | undefined
  /** `line:column` of the name and of the value, from 1. */
  readonly nameAt: string
  readonly contentAt: string
}

/** The text is not YAML of the shape settings have; `at` is `line:column`. */
export class YamlError extends Error {
  override readonly name = 'YamlError'
  readonly at: string

  constructor(at: string, message: string) {
    super(message)
    this.at = at
  }
}

/** Lists what is in the file, in its order. @throws YamlError */
export function readLeaves(text: string): Leaf[] {
  const lines = new LineCounter()
  const yaml = readYaml(text, lines)
  if (yaml === undefined) throw new YamlError('1:1', `something is nested more than ${DEEPEST} deep`)
  const { contents, wrong } = yaml
  const [first] = wrong
  if (first !== undefined) throw new YamlError(placeOf(first.offset, lines), syntaxError(first.code))
  if (contents === null || isEmpty(contents)) return []
  if (!isMap(contents)) throw new YamlError('1:1', 'settings are written as "name: value"')
  return leavesOf(contents.items, '', lines)
}

function syntaxError(code: string): string {
  const hint = 'look for a missing ":" or quote, an open bracket, a tab or a wrong indentation'
  return `this is not valid YAML (${code}): ${hint}`
}

function leavesOf(items: readonly Pair[], prefix: string, lines: LineCounter): Leaf[] {
  return items.flatMap(({ key, value }) => {
    const name = isScalar(key) && typeof key.value === 'string' ? prefix + key.value : undefined
    if (name !== undefined && isMap(value) && value.items.length > 0) {
      return leavesOf(value.items, `${name}.`, lines)
    }
    const nameAt = startOf(key, lines) ?? '1:1'
    return [{ name, content: contentOf(value), nameAt, contentAt: startOf(value, lines) ?? nameAt }]
  })
}

function contentOf(value: unknown): string | null | undefined {
  if (value === null || isEmpty(value) || isMap(value)) return null
  return isScalar(value) && typeof value.value === 'string' ? value.value : undefined
}

/** Whether nothing, `~` or `null` is written there; quotes make a text of all three. */
function isEmpty(node: unknown): boolean {
  if (!isScalar(node) || node.type !== 'PLAIN') return false
  return node.value === null || node.value === '' || node.value === '~' || node.value === 'null'
}

function startOf(node: unknown, lines: LineCounter): string | undefined {
  if (typeof node !== 'object' || node === null || !('range' in node)) return undefined
  const { range } = node as { readonly range?: readonly number[] | null }
  return range?.[0] === undefined ? undefined : placeOf(range[0], lines)
}

function placeOf(offset: number, lines: LineCounter): string {
  const { line, column } = placeIn(lines, offset)
  return `${line}:${column}`
}
