import { goQuote } from '../../golang/text/quote.ts'
import { compileRegexp, PatternError } from '../../golang/text/regexp.ts'
import { inTurns, type Work } from '../work.ts'
import { RuleAutomaton } from './automaton/automaton.ts'
import { Nodes, type PatternTarget } from './automaton/nodes.ts'
import { WordTrie } from './automaton/word-trie.ts'
import { CompiledRules, type RuleTarget } from './compiled-rules.ts'
import { RULE_LIMITS, RuleLoad } from './rule-load.ts'
import type { Rule, RulePlace, RuleSet, Unjudged, Verdict } from './rules.ts'

/** Some milliseconds. */
const WORDS_IN_ONE_GO = 500

/** What users of hoop are told; the pattern's own error says more to the author of the rules (protocol.md 8.1). */
const NO_RE2 = 'guardrail rule has a pattern the local engine cannot compile (RE2)'

const TOO_MUCH = `the guardrail rules are more than this agent enforces: ${RULE_LIMITS}`

/** Compiles rules in their order, up to the first that cannot be enforced. Others have their turns meanwhile. */
export async function compileRules(sets: readonly RuleSet[]): Promise<CompiledRules> {
  return await inTurns(new Compiling().all(sets))
}

class Compiling {
  readonly #targets: RuleTarget[] = []
  readonly #patterns: PatternTarget[] = []
  readonly #words = new WordTrie()
  readonly #load = new RuleLoad();

  *all(sets: readonly RuleSet[]): Work<CompiledRules> {
    const broken = yield* this.#addAll(sets)
    const nodes = yield* Nodes.of(this.#patterns, this.#words)
    return new CompiledRules(new RuleAutomaton(nodes), this.#targets, broken)
  }

  *#addAll(sets: readonly RuleSet[]): Work<Unjudged | undefined> {
    for (const [set, { rules }] of sets.entries()) {
      for (const [rule, hit] of rules.entries()) {
        const broken = yield* this.#add(hit, { set, rule })
        if (broken !== undefined) return broken
        yield
      }
    }
    return undefined
  }

  /** @returns why the rule cannot be enforced */
  *#add(rule: Rule, place: RulePlace): Work<Unjudged | undefined> {
    const problem = yield* this.#problemWith(rule, place)
    if (problem !== undefined) return { outcome: 'error', ...place, ...problem }
    if (this.#load.hasRoom) return undefined
    return { outcome: 'error', ...place, message: TOO_MUCH, closing: TOO_MUCH }
  }

  *#problemWith(hit: Rule, place: RulePlace): Work<Pick<Unjudged, 'message' | 'closing'> | undefined> {
    switch (hit.type) {
      case 'deny_words_list':
        for (const [n, word] of hit.words.entries()) {
          this.#addWord(word, { ...place, hit, matched: word })
          if (n % WORDS_IN_ONE_GO === WORDS_IN_ONE_GO - 1) yield
        }
        return undefined
      case 'pattern_match':
        return hit.pattern === '' ? undefined : this.#addPattern({ ...place, hit, matched: hit.pattern })
      default: {
        const message = `unknown rule type ${goQuote(hit.type)}`
        return { message, closing: message }
      }
    }
  }

  #addWord(word: string, target: RuleTarget): void {
    this.#load.addWord(word)
    if (word !== '' && this.#load.hasRoomForWords) this.#words.add(word, this.#targets.push(target) - 1)
  }

  #addPattern(target: RuleTarget): Pick<Unjudged, 'message' | 'closing'> | undefined {
    try {
      const compiled = compileRegexp(target.matched)
      this.#load.addPattern(compiled)
      if (this.#load.hasRoomForPatterns)
        this.#patterns.push({ compiled, target: this.#targets.push(target) - 1 })
      return undefined
    } catch (error) {
      if (!(error instanceof PatternError)) throw error
      const message = `failed parsing regex, reason=${error.message}`
      return {
        message,
        closing: error.isTooLarge ? `guardrail rule cannot be enforced: ${error.message}` : NO_RE2,
      }
    }
  }
}

/**
 * Judges a whole text: sets in order, rules in order, the first violation or error decides (protocol.md 8.1). A broken
 * rule after a violation goes unnoticed, before it nothing passes.
 */
export async function checkText(sets: readonly RuleSet[], text: Buffer): Promise<Verdict> {
  return (await compileRules(sets)).check(text)
}
