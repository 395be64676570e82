import type { RE2JS } from 're2js'
import { compileRegexp, PatternError } from '../../golang/text/regexp.ts'
import type { Rule } from './rules.ts'

/** Instructions of all patterns. A step looks at each of them at worst, which then takes some milliseconds. */
const MAX_INSTRUCTIONS = 100_000
/** Characters of all words: tens of thousands of them, in some 20 MB of memory. */
const MAX_CHARACTERS = 250_000

/** What all rules of a session and a direction may be together. */
export const RULE_LIMITS = `${MAX_CHARACTERS} characters of words, ${MAX_INSTRUCTIONS} steps of patterns`

/** What rules cost, as the limits count it. */
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

/** Patterns that cannot be compiled cost nothing. */
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
