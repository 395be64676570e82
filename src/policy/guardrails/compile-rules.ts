import { setImmediate as otherWork } from 'node:timers/promises'
import { goQuote } from '../../golang/text/quote.ts'
import { compileRegexp, PatternError } from '../../golang/text/regexp.ts'
import { RuleAutomaton, type RuleReading } from '../automaton/automaton.ts'
import { END_OF_TEXT, INVALID_BYTE, Nodes, type PatternTarget, WordTrie } from '../automaton/nodes.ts'
import { inTurns, type Work } from '../work.ts'
import { RULE_LIMITS, RuleLoad } from './rule-file.ts'
import type { Rule, RulePlace, RuleSet, Unjudged, Verdict, Violation } from './rules.ts'

/** `matched` is the word or the pattern that matched. */
interface RuleTarget extends RulePlace {
  readonly hit: Rule
  readonly matched: string
}

/** Maximum number of matches between two pauses, so that other work runs even if everything matches. */
const MATCHES_IN_ONE_GO = 20_000

/** The rules of one direction, for any number of texts and streams. */
export class CompiledRules {
  readonly automaton: RuleAutomaton
  /** The first rule that cannot be enforced. Later rules are not in the automaton and never count. */
  readonly broken: Unjudged | undefined
  /** Targets in the order of the rules and of their words. */
  readonly #targets: readonly RuleTarget[]

  constructor(automaton: RuleAutomaton, targets: readonly RuleTarget[], broken: Unjudged | undefined) {
    this.automaton = automaton
    this.#targets = targets
    this.broken = broken
  }

  get isEmpty(): boolean {
    return this.#targets.length === 0 && this.broken === undefined
  }

  /** Approximate memory in bytes. */
  get bytes(): number {
    return this.automaton.bytes
  }

  /** Judges a text as hoop does (protocol.md 8.1), with pauses. @throws the reason of `ended` */
  async check(text: Buffer, ended?: AbortSignal): Promise<Verdict> {
    const found = [...(await this.#targetsIn(text, ended))].sort((left, right) => left - right)
    return found.length > 0 ? this.violationOf(found) : (this.broken ?? { outcome: 'pass' })
  }

  /** `targets` must be in order and not empty. The rule of the first target counts. */
  violationOf(targets: readonly number[]): Violation {
    const hits = targets.flatMap((target) => this.#targets[target] ?? [])
    const [first] = hits
    if (first === undefined) throw new Error('a match of no rule')
    const { set, rule, hit } = first
    const matched = hits.filter((other) => other.hit === hit).map((other) => other.matched)
    return { outcome: 'violation', set, rule, hit, matched }
  }

  /**
   * Reads the last `rest` bytes, which are an incomplete rune, and then the end of the text. Yields the
   * matched targets after each byte and after the end.
   */
  *targetsAtEnd(reading: RuleReading, rest: number): Generator<readonly number[], void, undefined> {
    for (let index = 0; index < rest; index++) {
      this.automaton.step(reading, INVALID_BYTE)
      yield reading.state.targets
    }
    this.automaton.step(reading, END_OF_TEXT)
    yield reading.state.targets
  }

  /**
   * Returns the offset after the first match of a rule, or after the rune that follows the match if the rule
   * depends on that rune. Returns undefined if the rule does not match.
   */
  async findEnd({ set, rule }: RulePlace, text: Buffer, ended?: AbortSignal): Promise<number | undefined> {
    const isOfRule = (target: number) => {
      const found = this.#targets[target]
      return found?.set === set && found.rule === rule
    }
    let end: number | undefined
    await this.#read(text, ended, (targets, at) => {
      if (targets.some(isOfRule)) end ??= at
    })
    return end
  }

  async #targetsIn(text: Buffer, ended: AbortSignal | undefined): Promise<Set<number>> {
    const found = new Set<number>()
    await this.#read(text, ended, (targets) => {
      for (const target of targets) found.add(target)
    })
    return found
  }

  /** @param note gets the targets that match, and the offset in the text */
  async #read(
    text: Buffer,
    ended: AbortSignal | undefined,
    note: (targets: readonly number[], at: number) => void,
  ): Promise<void> {
    const reading = this.automaton.begin()
    note(reading.state.targets, 0)
    let matches = 0
    for (
      let stop = this.automaton.scan(reading, text);
      stop !== 'end';
      stop = this.automaton.scan(reading, text)
    ) {
      note(reading.state.targets, reading.at)
      if (stop === 'targets') matches += 1
      if (stop === 'pause' || matches % MATCHES_IN_ONE_GO === 0) await otherWork()
      ended?.throwIfAborted()
    }
    for (const targets of this.targetsAtEnd(reading, text.length - reading.at)) note(targets, text.length)
  }
}

/** Maximum number of words between two pauses. This number of words takes some milliseconds. */
const WORDS_IN_ONE_GO = 500

/** Hoop's text for users (protocol.md 8.1). The author of the rules gets the pattern's own error. */
const NO_RE2 = 'guardrail rule has a pattern the local engine cannot compile (RE2)'

const TOO_MUCH = `the guardrail rules exceed the limits of this agent: ${RULE_LIMITS}`

/** Compiles rules in order, with pauses, up to the first one that cannot be enforced. */
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

  /** Returns why the rule cannot be enforced. */
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
 * Returns the first violation or error (protocol.md 8.1). A rule that cannot be enforced is an error only if
 * no earlier rule is violated.
 */
export async function checkText(sets: readonly RuleSet[], text: Buffer): Promise<Verdict> {
  return (await compileRules(sets)).check(text)
}
