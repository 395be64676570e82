import type { Node, Scalar } from 'yaml'
import { DEEPEST, readYaml, yaml } from './yaml.ts'
import { type Path, Problems } from './problems.ts'

/** Settings as they are in the file, not yet checked: every scalar is a text, a value left empty is null. */
export type Tree = string | null | readonly Tree[] | { readonly [key: string]: Tree }

/** Room for a thousand connections. */
const MAX_NODES = 50_000
/** Each alias repeats what its anchor stands for. */
const MAX_ALIASES = 100

/** Names that valibot would silently drop. */
const UNUSABLE_KEYS = new Set(['__proto__', 'prototype', 'constructor'])

/** Our texts for yaml's error codes: its own messages quote the file, secrets included. */
const SYNTAX: Readonly<Partial<Record<string, string>>> = {
  ALIAS_PROPS: 'an alias cannot have a tag or an anchor',
  BAD_DIRECTIVE: 'directives are not supported',
  BAD_DQ_ESCAPE: 'this escape is not known in a double-quoted text; use single quotes or a double backslash',
  BAD_INDENT: 'the indentation is wrong or a bracket was not closed',
  BAD_SCALAR_START: 'an unquoted text cannot start with this character, quote it',
  BLOCK_AS_IMPLICIT_KEY: 'a second ": " in one line; quote the text or begin a new line',
  BLOCK_IN_FLOW: 'brackets can only hold brackets and plain values',
  MISSING_CHAR: 'a ":", a quote or a closing bracket is missing',
  MULTILINE_IMPLICIT_KEY: 'a name must be on one line; a ":" or a quote may be missing',
  MULTIPLE_DOCS: 'the file must hold one document only',
  TAB_AS_INDENT: 'a tab cannot indent, use spaces',
  TAG_RESOLVE_FAILED: 'tags are not supported',
  UNEXPECTED_TOKEN: 'nothing is expected here; quote the text or check the indentation',
}

export interface SettingsTree {
  /** Undefined when the text is no YAML, or too much of it. */
  readonly tree: Tree | undefined
  /** Knows where everything is. */
  readonly problems: Problems
}

/**
 * Reads YAML of any content in bounded time and memory.
 * @param file names it in problems
 * @param empty the unquoted texts that mean "no value"
 */
export function readTree(text: string, file: string, empty: readonly string[] = ['']): SettingsTree {
  const lines = new (yaml().LineCounter)()
  const problems = new Problems(file, lines)
  const read = readYaml(text, lines)
  if (read === undefined) problems.addAt(0, `settings are nested more than ${DEEPEST} deep`)
  for (const { code, offset } of read?.wrong ?? [])
    problems.addAt(offset, SYNTAX[code] ?? `this is not valid YAML (${code})`)
  const isReadable = read !== undefined && problems.count === 0
  return { tree: isReadable ? new Reading(problems, empty).read(read.contents) : undefined, problems }
}

class TooMuch extends Error {}

/** One walk over the document, from top to bottom: anchors come before their aliases. */
class Reading {
  readonly #problems: Problems
  readonly #empty: readonly string[]
  readonly #yaml = yaml()
  readonly #anchors = new Map<string, Node>()
  #nodes = 0
  #aliases = 0
  #insideAlias = false

  constructor(problems: Problems, empty: readonly string[]) {
    this.#problems = problems
    this.#empty = empty
  }

  read(contents: Node | null): Tree | undefined {
    try {
      return this.#value(contents, [])
    } catch (error) {
      if (!(error instanceof TooMuch)) throw error
      this.#problems.addAt(0, error.message)
      return undefined
    }
  }

  #value(node: Node | null, path: Path): Tree {
    const { isAlias, isMap, isScalar, isSeq } = this.#yaml
    this.#nodes += 1
    if (this.#nodes > MAX_NODES) throw new TooMuch(`there are more than ${MAX_NODES} settings`)
    if (path.length > DEEPEST) throw new TooMuch('an alias is part of what it stands for')
    if (isAlias(node)) return this.#alias(node.source, path)
    if ((isScalar(node) || isMap(node) || isSeq(node)) && node.anchor !== undefined && !this.#insideAlias) {
      this.#anchors.set(node.anchor, node)
    }
    if (isSeq(node)) return node.items.map((item, i) => this.#located(item as Node | null, [...path, i]))
    if (isMap(node)) return this.#map(node.items as MapItems, path)
    return isScalar(node) ? this.#text(node) : null
  }

  #located(node: Node | null, path: Path, key?: number): Tree {
    const value = node?.range?.[0] ?? key ?? 0
    this.#problems.locate(path, value, key)
    return this.#value(node, path)
  }

  #map(items: MapItems, path: Path): Tree {
    const result = Object.create(null) as Record<string, Tree>
    for (const { key, value } of items) {
      const offset = (key ?? value)?.range?.[0] ?? 0
      const name = this.#yaml.isScalar(key) && typeof key.value === 'string' ? key.value : undefined
      const refusal = this.#refusal(name, result)
      if (name === undefined || refusal !== undefined) this.#problems.addAt(offset, refusal ?? '', path)
      else result[name] = this.#located(value, [...path, name], offset)
    }
    return result
  }

  #refusal(name: string | undefined, taken: Readonly<Record<string, Tree>>): string | undefined {
    if (name === undefined) return 'the name of a setting must be a text'
    if (UNUSABLE_KEYS.has(name)) return `${name} cannot be used as a name`
    return name in taken ? 'this name is here already' : undefined
  }

  #alias(name: string, path: Path): Tree {
    this.#aliases += 1
    if (this.#aliases > MAX_ALIASES) throw new TooMuch(`aliases are used more than ${MAX_ALIASES} times`)
    const node = this.#anchors.get(name)
    if (node === undefined) {
      this.#problems.add(path, 'there is no anchor of this name before it')
      return null
    }
    const before = this.#insideAlias
    this.#insideAlias = true
    const value = this.#value(node, path)
    this.#insideAlias = before
    return value
  }

  #text({ value, type }: Scalar): string | null {
    if (typeof value !== 'string') return null
    return type === 'PLAIN' && this.#empty.includes(value) ? null : value
  }
}

type MapItems = readonly { readonly key: Node | null; readonly value: Node | null }[]
