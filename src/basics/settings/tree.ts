import type * as Yaml from 'yaml'
import type { Node, Scalar } from 'yaml'
import { decodeUtf8, readSmallFile } from '../files/small-file.ts'
import { type Path, Problems, SettingsError } from './problems.ts'

/**
 * Loads yaml when the first file is read. Most agents start without a file, and loading takes a twelfth of a
 * start.
 */
function yaml(): typeof Yaml {
  return require('yaml') as typeof Yaml
}

/** Maximum depth of nesting. Settings use 5 levels. */
const DEEPEST = 20

interface SettingsYaml {
  readonly contents: Yaml.Node | null
  /**
   * The faults, only as codes, because yaml's messages quote secrets. If there is a fault, `contents` must
   * not be used.
   */
  readonly wrong: readonly { readonly code: string; readonly offset: number }[]
}

/**
 * Keeps every scalar as the text in the file (the failsafe schema). Leaves the search for duplicate names to
 * `Reading`, because yaml compares each name with all others. Returns undefined for more than `DEEPEST`
 * levels.
 */
function readYaml(text: string, lineCounter: Yaml.LineCounter): SettingsYaml | undefined {
  if (isDeeperThan(text, DEEPEST)) return undefined
  const options = { lineCounter, prettyErrors: false, resolveKnownTags: false, uniqueKeys: false } as const
  const { contents, errors, warnings } = yaml().parseDocument(text, { ...options, schema: 'failsafe' })
  return { contents, wrong: [...errors, ...warnings].map(({ code, pos: [offset] }) => ({ code, offset })) }
}

interface Token {
  readonly value?: unknown
  readonly items?: readonly { readonly key?: unknown; readonly value?: unknown }[]
}

/**
 * Whether the YAML is nested more than `levels` deep. Call this before parsing: with some thousand brackets
 * yaml 2.9 overflows the stack, which `catch` cannot handle (this has happened).
 */
function isDeeperThan(text: string, levels: number): boolean {
  const open: { token: unknown; depth: number }[] = []
  for (const token of new (yaml().Parser)().parse(text)) open.push({ token, depth: 0 })
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { token, depth } = next
    if (depth > levels) return true
    if (typeof token !== 'object' || token === null) continue
    const { value, items = [] } = token as Token
    open.push({ token: value, depth })
    for (const item of items) {
      open.push({ token: item.key, depth: depth + 1 }, { token: item.value, depth: depth + 1 })
    }
  }
  return false
}

/** Unchecked settings: every scalar is a text, an empty value is null. */
export type Tree = string | null | readonly Tree[] | { readonly [key: string]: Tree }

/** Maximum number of values in a file. A thousand connections fit. */
const MAX_NODES = 50_000
/** Maximum number of aliases, each of which repeats the content of its anchor. */
const MAX_ALIASES = 100

/** Names that valibot would silently drop. */
const UNUSABLE_KEYS = new Set(['__proto__', 'prototype', 'constructor'])

/** Texts for yaml's error codes. yaml's own messages quote the file and its secrets. */
const SYNTAX: Readonly<Partial<Record<string, string>>> = {
  ALIAS_PROPS: 'an alias cannot have a tag or an anchor',
  BAD_DIRECTIVE: 'directives are not supported',
  BAD_DQ_ESCAPE: 'this escape is not known in a double-quoted text; use single quotes or a double backslash',
  BAD_INDENT: 'the indentation is wrong or a bracket was not closed',
  BAD_SCALAR_START: 'an unquoted text cannot start with this character, quote it',
  BLOCK_AS_IMPLICIT_KEY: 'the line has a second ": "; quote the text or begin a new line',
  BLOCK_IN_FLOW: 'brackets can only hold brackets and plain values',
  MISSING_CHAR: 'a ":", a quote or a closing bracket is missing',
  MULTILINE_IMPLICIT_KEY: 'a name must be on one line; a ":" or a quote may be missing',
  MULTIPLE_DOCS: 'the file must hold one document only',
  TAB_AS_INDENT: 'a tab cannot indent, use spaces',
  TAG_RESOLVE_FAILED: 'tags are not supported',
  UNEXPECTED_TOKEN: 'this text is not expected here; quote the text or check the indentation',
}

export interface SettingsTree {
  /** Undefined when the text is not valid YAML or exceeds a limit. */
  readonly tree: Tree | undefined
  /** The problems of the text. They also know the place of each setting. */
  readonly problems: Problems
}

/**
 * Reads YAML in bounded time and memory, whatever the text contains. `file` is the name that problems show.
 * `empty` are the unquoted texts that mean "no value".
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

/**
 * Reads all values in one walk from top to bottom. One walk is enough, because every anchor is before its
 * aliases.
 */
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
      if (!(error instanceof SettingsError)) throw error
      return undefined
    }
  }

  /** Stops the walk, because it would take too long or never end. */
  #giveUp(problem: string): void {
    this.#problems.addAt(0, problem)
    this.#problems.throwIfAny()
  }

  #value(node: Node | null, path: Path): Tree {
    const { isAlias, isMap, isScalar, isSeq } = this.#yaml
    this.#nodes += 1
    if (this.#nodes > MAX_NODES) this.#giveUp(`there are more than ${MAX_NODES} settings`)
    if (path.length > DEEPEST) this.#giveUp('an alias contains itself')
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
    if (name === undefined) return 'the name of a setting must be a string'
    if (UNUSABLE_KEYS.has(name)) return `${name} cannot be used as a name`
    return name in taken ? 'this name is used twice' : undefined
  }

  #alias(name: string, path: Path): Tree {
    this.#aliases += 1
    if (this.#aliases > MAX_ALIASES) this.#giveUp(`aliases are used more than ${MAX_ALIASES} times`)
    const node = this.#anchors.get(name)
    if (node === undefined) {
      this.#problems.add(path, 'unknown alias: no anchor before it has this name')
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

/** The content of a JSON or YAML file. In YAML every scalar is a text. */
interface StructuredFile {
  readonly value: unknown
  /** Returns `FILE:LINE:COLUMN` of the value at this path or, if it is missing, of the map around it. */
  readonly placeOf: Problems['placeOf']
}

/** Texts that mean "no value" in YAML. */
const EMPTY = ['', '~', 'null', 'Null', 'NULL']

/** @throws FileRefused, and SettingsError for a file that is neither JSON nor YAML */
export function readStructuredFile(file: string, maxBytes: number): StructuredFile {
  const text = decodeUtf8(readSmallFile(file, maxBytes).bytes)
  try {
    const value = JSON.parse(text) as unknown
    let places: Problems | undefined
    // JSON is YAML, so yaml can find the places. They are computed only for a fault.
    return { value, placeOf: (...asked) => (places ??= readTree(text, file).problems).placeOf(...asked) }
  } catch {
    const { tree, problems } = readTree(text, file, EMPTY)
    problems.throwIfAny()
    return { value: tree, placeOf: (...asked) => problems.placeOf(...asked) }
  }
}
