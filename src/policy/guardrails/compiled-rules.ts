import { setImmediate as otherWork } from 'node:timers/promises'
import type { RuleAutomaton, RuleReading } from './automaton/automaton.ts'
import { END_OF_TEXT } from './automaton/nodes.ts'
import { INVALID_BYTE } from './automaton/runes.ts'
import type { Rule, RulePlace, Unjudged, Verdict, Violation } from './rules.ts'

/** What a match means: a word or the pattern of a rule. */
export interface RuleTarget extends RulePlace {
  readonly hit: Rule
  readonly matched: string
}

/** Matches after which all is read, so that a text in which everything matches does not hold up others. */
const MATCHES_IN_ONE_GO = 20_000

/** The rules of one direction as one automaton, for any number of texts and streams. */
export class CompiledRules {
  readonly automaton: RuleAutomaton
  /** The first rule that cannot be enforced. Those after it are never reached, and not in the automaton. */
  readonly broken: Unjudged | undefined
  /** In the order of the rules, and of their words. */
  readonly #targets: readonly RuleTarget[]

  constructor(automaton: RuleAutomaton, targets: readonly RuleTarget[], broken: Unjudged | undefined) {
    this.automaton = automaton
    this.#targets = targets
    this.broken = broken
  }

  /** True when they are broken by no text. */
  get isEmpty(): boolean {
    return this.#targets.length === 0 && this.broken === undefined
  }

  /** About what they take of memory now. */
  get bytes(): number {
    return this.automaton.bytes
  }

  /**
   * Judges a whole text as the reference does (protocol.md 8.1), without holding up others.
   * @param ended aborts when nobody waits for the verdict any more
   * @throws the signal's reason
   */
  async check(text: Buffer, ended?: AbortSignal): Promise<Verdict> {
    const found = [...(await this.#targetsIn(text, ended))].sort((left, right) => left - right)
    return found.length > 0 ? this.violationOf(found) : (this.broken ?? { outcome: 'pass' })
  }

  /** @param targets in order, and not empty: the first rule counts */
  violationOf(targets: readonly number[]): Violation {
    const hits = targets.flatMap((target) => this.#targets[target] ?? [])
    const [first] = hits
    if (first === undefined) throw new Error('a match of no rule')
    const { set, rule, hit } = first
    const matched = hits.filter((other) => other.hit === hit).map((other) => other.matched)
    return { outcome: 'violation', set, rule, hit, matched }
  }

  /** Reads a last rune of which the rest never came, and the end. Yields what matches, place by place. */
  *targetsAtEnd(reading: RuleReading, rest: number): Generator<readonly number[], void, undefined> {
    for (let index = 0; index < rest; index++) {
      this.automaton.step(reading, INVALID_BYTE)
      yield reading.state.targets
    }
    this.automaton.step(reading, END_OF_TEXT)
    yield reading.state.targets
  }

  async #targetsIn(text: Buffer, ended: AbortSignal | undefined): Promise<Set<number>> {
    const reading = this.automaton.begin()
    const found = new Set(reading.state.targets)
    const note = (targets: readonly number[]) => {
      for (const target of targets) found.add(target)
    }
    let matches = 0
    for (
      let stop = this.automaton.scan(reading, text);
      stop !== 'end';
      stop = this.automaton.scan(reading, text)
    ) {
      note(reading.state.targets)
      if (stop === 'targets') matches += 1
      if (stop === 'pause' || matches % MATCHES_IN_ONE_GO === 0) await otherWork()
      ended?.throwIfAborted()
    }
    for (const targets of this.targetsAtEnd(reading, text.length - reading.at)) note(targets)
    return found
  }
}
