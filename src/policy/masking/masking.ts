import { didYouMean } from '../../basics/text/nearest.ts'
import { encodeText } from '../../golang/text/byte-string.ts'
import type { RuleAutomaton } from '../automaton/automaton.ts'
import { done, inTurns, type Work } from '../work.ts'
import { type CustomRecognizer, customRecognizers } from './custom.ts'
import { findings, type FoundData, type Place, searcher, type Searcher } from './findings.ts'
import { LinePlaces, compileOverLines } from './line-cuts.ts'
import { type Subject, subjectOf } from './subject.ts'
import { Words } from './words.ts'
import type { Recognizer } from './recognizers/recognizer.ts'
import { BUILT_IN, EXTRA, NEED_MODEL, refined } from './recognizers/table.ts'
import { piecesOf, replaced, type Replacement } from './replacement.ts'
import type { MaskingRules } from './rules.ts'

/** Tolerance for sums of floats: 0.3 + 0.35 is a little less than 0.65. */
const TOLERANCE = 1e-9
const MAX_WINDOW_CHARACTERS = 64 * 1024
const STEPS_OF_WINDOW = 1_600_000
/**
 * Minimum window in bytes if private keys are masked. One window must hold a complete key and the text before
 * the key in its line. With this window, a slow regex may take 0.5 s.
 */
const WINDOW_OF_KEY = 20 * 1024

interface Unserved {
  /** Known names that need a language model. */
  readonly needModel: readonly string[]
  readonly unknown: readonly string[]
}

/** Compiled rules. The caller decides whether to continue if types are `unserved`. */
export class Masking {
  readonly unserved: Unserved
  readonly replacement: Replacement
  /** Maximum number of bytes searched between two pauses. */
  readonly window: number
  /**
   * Names of the custom types. A cut match of such a type is masked up to the end of the line, because only
   * the type's regex could find the real end of the match.
   */
  readonly custom: ReadonlySet<string>
  readonly #searchers: readonly Searcher[]
  readonly #threshold: number
  readonly #allowed: ReadonlySet<string>

  readonly #overLines: RuleAutomaton | undefined
  readonly #customBytes: number

  /** Compiles with pauses. @throws PolicyError for a custom type that cannot be used */
  static async compiled(rules: MaskingRules): Promise<Masking> {
    return new Masking(rules, await inTurns(compiledCustoms(rules)))
  }

  /** @throws PolicyError for a custom type that cannot be used */
  constructor(rules: MaskingRules, { customs, overLines } = done(compiledCustoms(rules))) {
    this.unserved = unservedOf(rules)
    this.replacement = rules.replacement
    this.custom = new Set(customs.map(({ type }) => type))
    this.#searchers = [...builtInOf(rules, this.custom), ...customs].map(searcher)
    const window = windowFor(customs.reduce((most, { steps }) => Math.max(most, steps), 0))
    this.window = this.finds('PRIVATE_KEY') ? Math.max(WINDOW_OF_KEY, window) : window
    this.#overLines = overLines
    this.#customBytes = customs.reduce((sum, { bytes }) => sum + bytes, 0)
    this.#threshold = (rules.threshold ?? 0) - TOLERANCE
    this.#allowed = new Set(rules.allow.map(encodeText))
  }

  /** Approximate memory. */
  get bytes(): number {
    return this.#customBytes + (this.#overLines?.bytes ?? 0)
  }

  /** Returns undefined when the stream can be cut at every line end. */
  linePlaces(): LinePlaces | undefined {
    return this.#overLines && new LinePlaces(this.#overLines)
  }

  finds(type: string): boolean {
    return this.#searchers.some(({ recognizer }) => recognizer.type === type)
  }

  /** Returns the findings to mask, in the order of hoop's engine. Their offsets count bytes. */
  find(text: Buffer): FoundData[] {
    const subject = subjectOf(text)
    const words = new Words()
    words.next(subject.text, 0)
    return done(this.search(subject, { from: 0, words }))
  }

  /** Searches from `place.from` on. The words before this place are the context. */
  *search(subject: Subject, place: Place): Work<FoundData[]> {
    const found = yield* findings(this.#searchers, subject, place)
    return found.filter(
      ({ score, start, end }) =>
        score >= this.#threshold && !this.#allowed.has(subject.text.slice(start, end)),
    )
  }

  mask(text: Buffer): Buffer {
    return replaced(text, piecesOf(this.find(text)), this.replacement)
  }
}

function* compiledCustoms(
  rules: MaskingRules,
): Work<{ readonly customs: readonly CustomRecognizer[]; readonly overLines: RuleAutomaton | undefined }> {
  const customs = yield* customRecognizers(rules.custom)
  return { customs, overLines: yield* compileOverLines(customs.flatMap(({ overLines }) => overLines)) }
}

/**
 * Returns the window in bytes. A custom regex may take some 30 ns per step and byte, so one window takes at
 * most 50 ms.
 */
function windowFor(steps: number): number {
  return Math.min(MAX_WINDOW_CHARACTERS, Math.floor(STEPS_OF_WINDOW / Math.max(1, steps)))
}

function builtInOf({ entities, refine }: MaskingRules, custom: ReadonlySet<string>): readonly Recognizer[] {
  const asked = new Set(entities)
  const builtIn = BUILT_IN.filter(({ type }) => entities === undefined || asked.has(type))
  const extra = EXTRA.filter(({ type }) => asked.has(type) && !custom.has(type))
  return [...builtIn.flatMap((recognizer) => refined(recognizer, refine)), ...extra]
}

function unservedOf({ entities = [], custom }: MaskingRules): Unserved {
  const known = new Set([...BUILT_IN, ...EXTRA].map(({ type }) => type))
  for (const { name } of custom) known.add(name)
  const missing = entities.filter((name) => !known.has(name))
  return {
    needModel: missing.filter((name) => NEED_MODEL.includes(name)),
    unknown: missing.filter((name) => !NEED_MODEL.includes(name)),
  }
}

/** Returns the nearest types for the name of an unknown type, and all types. */
export function typeAdvice(name: string): string {
  const types = [...new Set([...BUILT_IN, ...EXTRA].map(({ type }) => type))].toSorted()
  const meant = didYouMean(name, types)
  return `${meant === undefined ? '' : `${meant} `}The types are ${types.join(', ')}`
}
