import { customRecognizer } from './find/custom.ts'
import { findings, searcher, type Finding, type Matched, type Searcher } from './find/findings.ts'
import { subjectOf, type Subject } from './find/subject.ts'
import { Words } from './find/words.ts'
import { BUILT_IN, EXTRA, NEED_MODEL, refined } from './recognizers/table.ts'
import { piecesOf, replaced, type Replacement } from './replacement.ts'
import type { MaskingRules } from './rules.ts'

/** Scores are sums: 0.3 + 0.35 is a little less than 0.65. */
const TOLERANCE = 1e-9

/** Types that are asked for and cannot be found. */
export interface Unserved {
  /** Known names for which there is no pattern: they need a language model. */
  readonly needModel: readonly string[]
  readonly unknown: readonly string[]
}

/** Rules, compiled: finds and masks. Types that it cannot find are in `unserved`; whether to go on is the caller's. */
export class Masking {
  readonly unserved: Unserved
  readonly replacement: Replacement
  readonly #searchers: readonly Searcher[]
  readonly #threshold: number
  readonly #allowed: ReadonlySet<string>

  /** @throws MaskingError for a custom type that cannot be used */
  constructor(rules: MaskingRules) {
    this.unserved = unservedOf(rules)
    this.replacement = rules.replacement
    this.#searchers = recognizersOf(rules).map(searcher)
    this.#threshold = (rules.threshold ?? 0) - TOLERANCE
    this.#allowed = new Set(rules.allow.map((text) => Buffer.from(text).toString('latin1')))
  }

  /** Everything in the text that is to be masked, in the reference's order. Offsets are bytes. */
  find(text: Buffer): Finding[] {
    const words = new Words()
    words.next(text, 0)
    return this.findFrom(subjectOf(text), { from: 0, words })
  }

  /** The same for a part of a text, with what is before `from` around it. */
  findFrom(subject: Subject, place: { from: number; words: Words; matched?: Matched }): Finding[] {
    const found = findings(this.#searchers, subject, place)
    return found.filter(
      ({ score, start, end }) =>
        score >= this.#threshold &&
        (this.#allowed.size === 0 || !this.#allowed.has(subject.text.slice(start, end))),
    )
  }

  /** A complete text, masked. */
  mask(text: Buffer): Buffer {
    return replaced(text, piecesOf(this.find(text)), this.replacement)
  }
}

function recognizersOf({ entities, custom, refine }: MaskingRules) {
  const customs = custom.map(customRecognizer)
  const named = new Set(customs.map(({ type }) => type))
  const asked = new Set(entities)
  const builtIn = BUILT_IN.filter(({ type }) => entities === undefined || asked.has(type))
  const extra = EXTRA.filter(({ type }) => asked.has(type) && !named.has(type))
  return [...builtIn.flatMap((recognizer) => refined(recognizer, refine)), ...extra, ...customs]
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
