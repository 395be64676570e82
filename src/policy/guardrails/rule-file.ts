import type { RE2JS } from 're2js'
import { type Path, type Problems, SettingsError } from '../../basics/settings/problems.ts'
import { readStructuredFile } from '../../basics/settings/tree.ts'
import { compileRegexp, PatternError } from '../../golang/text/regexp.ts'
import type { Rule } from './rules.ts'

/**
 * Maximum number of instructions of all patterns. In the worst case, one step visits every instruction, which
 * takes some milliseconds.
 */
const MAX_INSTRUCTIONS = 100_000
/**
 * Maximum number of characters of all words, enough for tens of thousands of words. They need some 20 MB of
 * memory.
 */
const MAX_CHARACTERS = 250_000

/** Limits for all rules of one session and direction. */
export const RULE_LIMITS = `${MAX_CHARACTERS} characters of words, ${MAX_INSTRUCTIONS} steps of patterns`

export class RuleLoad {
  #instructions = 0
  #characters = 0

  get hasRoom(): boolean {
    return this.hasRoomForWords && this.hasRoomForPatterns
  }

  get hasRoomForWords(): boolean {
    return this.#characters <= MAX_CHARACTERS
  }

  get hasRoomForPatterns(): boolean {
    return this.#instructions <= MAX_INSTRUCTIONS
  }

  addWord(word: string): void {
    this.#characters += word.length
  }

  addPattern(compiled: RE2JS): void {
    this.#instructions += compiled.programSize()
  }

  addAll(other: RuleLoad): void {
    this.#characters += other.#characters
    this.#instructions += other.#instructions
  }
}

/** Returns the cost of the rules. Patterns that cannot be compiled cost nothing. */
export function loadOf(rules: readonly Rule[]): RuleLoad {
  const load = new RuleLoad()
  for (const { type, words, pattern } of rules) {
    if (type === 'deny_words_list') for (const word of words) load.addWord(word)
    else if (pattern !== '') addCompiled(load, pattern)
  }
  return load
}

function addCompiled(load: RuleLoad, pattern: string): void {
  try {
    load.addPattern(compileRegexp(pattern))
  } catch (error) {
    if (!(error instanceof PatternError)) throw error
  }
}

export interface RuleFile {
  /**
   * The list of sets `{"rules":[R,...]}`, which is not checked yet. It is null or undefined if the file has
   * no such list.
   */
  readonly sets: unknown
  /** Path in the file for a path in the list: `[0, 'rules', 1]` is the first set's second rule. */
  readonly pathOf: (path: Path) => Path
  /** Returns `FILE:LINE:COLUMN` for a path in the list. */
  readonly placeOf: Problems['placeOf']
  /** Whether the other direction has rules, too. */
  readonly hasOthers: boolean
}

export type RuleDirection = 'input' | 'output'

/**
 * Reads JSON or YAML: one set `{"rules":[R,...]}`, a list of sets, a list of sets inside `rules`, or a
 * gateway's `{"input_rules":[...],"output_rules":[...]}`. Keeps equal sets.
 * @throws FileRefused if the file cannot be used, and SettingsError if its content has another form
 */
export function readRuleFile(file: string, direction: RuleDirection, maxBytes: number): RuleFile {
  const { value, placeOf } = readStructuredFile(file, maxBytes)
  const { sets, pathOf } = setsIn(value, direction, (message) => {
    throw new SettingsError(file, [{ place: placeOf([]), path: '', message }])
  })
  const others = isMap(value) ? value[direction === 'input' ? 'output_rules' : 'input_rules'] : []
  return {
    sets,
    pathOf,
    placeOf: (path, part) => placeOf(pathOf(path), part),
    hasOthers: Array.isArray(others) && others.length > 0,
  }
}

function setsIn(
  root: unknown,
  direction: RuleDirection,
  refuse: (message: string) => never,
): Pick<RuleFile, 'sets' | 'pathOf'> {
  if (Array.isArray(root)) return { sets: root, pathOf: (path) => path }
  if (!isMap(root)) return refuse('a map with rules, or a list of such maps, is expected')
  if ('input_rules' in root || 'output_rules' in root) return within(root, `${direction}_rules`)
  if (!('rules' in root)) return refuse('rules, input_rules or output_rules is required')
  const { rules } = root
  const areSets =
    Array.isArray(rules) && rules.length > 0 && rules.every((each) => isMap(each) && 'rules' in each)
  return areSets ? within(root, 'rules') : { sets: [root], pathOf: (path) => path.slice(1) }
}

function within(root: Readonly<Record<string, unknown>>, name: string): Pick<RuleFile, 'sets' | 'pathOf'> {
  return { sets: root[name], pathOf: (path) => [name, ...path] }
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
