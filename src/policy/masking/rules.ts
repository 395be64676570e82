import * as v from 'valibot'
import { PolicyError } from '../policy-error.ts'
import { type CustomType } from './custom.ts'
import type { Refinement } from './recognizers/table.ts'
import type { Replacement } from './replacement.ts'

export interface MaskingRules {
  /** Undefined means all built-in types. */
  readonly entities: readonly string[] | undefined
  readonly custom: readonly CustomType[]
  /** Findings with a lower score are not masked. If it is undefined, all findings are masked. */
  readonly threshold: number | undefined
  readonly allow: readonly string[]
  readonly replacement: Replacement
  readonly refine: readonly Refinement[]
}

export const EVERYTHING: MaskingRules = {
  entities: undefined,
  custom: [],
  threshold: undefined,
  allow: [],
  replacement: { form: 'tag' },
  refine: [],
}

/** Threshold of a rule that sets none. */
const NO_THRESHOLD = 0.5

const score = v.pipe(v.number(), v.minValue(0), v.maxValue(1))
const texts = v.array(v.string())

const CUSTOM = v.object({
  name: v.pipe(v.string(), v.nonEmpty()),
  regex: v.nullish(v.string()),
  deny_list: v.nullish(texts),
  score: v.nullish(score),
})

/** Also accepts a score that is a text, because users may write it in quotes in YAML. */
const WRITTEN = v.object({
  ...CUSTOM.entries,
  score: v.nullish(v.union([score, v.pipe(v.string(), v.nonEmpty(), v.transform(Number), score)])),
})

const RULE = v.object({
  supported_entity_types: v.nullish(v.array(v.object({ entity_types: v.nullish(texts) }))),
  custom_entity_types: v.nullish(v.array(CUSTOM)),
  score_threshold: v.nullish(score),
})

/**
 * Decodes `DataMaskingEntityTypesData` (protocol.md 8.2). Joins several rules into one rule with all types
 * and the lowest threshold. Returns undefined if there is nothing to mask.
 * @throws PolicyError when the payload cannot be decoded
 */
export function decodeMasking(payload: Buffer | undefined): MaskingRules | undefined {
  const rules = decoded(payload)
  const entities = rules.flatMap(({ supported_entity_types: groups }) =>
    (groups ?? []).flatMap(({ entity_types: names }) => names ?? []),
  )
  const custom = rules.flatMap(({ custom_entity_types: types }) => (types ?? []).map(customType))
  if (entities.length === 0 && custom.length === 0) return undefined
  const threshold = rules.reduce((least, rule) => Math.min(least, rule.score_threshold ?? NO_THRESHOLD), 1)
  return { ...EVERYTHING, entities: [...new Set(entities)], custom, threshold }
}

/** Decodes the types in a user's file, which have the members of a session's rules. @throws PolicyError */
export function decodeCustomTypes(list: unknown): CustomType[] {
  const types = v.safeParse(v.array(WRITTEN), list)
  if (types.success) return types.output.map(customType)
  throw new PolicyError(`a list of {name, regex or deny_list, score} is expected, ${wrong(types.issues[0])}`)
}

function decoded(payload: Buffer | undefined): v.InferOutput<typeof RULE>[] {
  if (payload === undefined || payload.length === 0) return []
  const rules = v.safeParse(v.nullable(v.array(RULE)), parse(payload))
  if (rules.success) return rules.output ?? []
  throw new PolicyError(`unable to decode data masking rules, reason=${wrong(rules.issues[0])}`)
}

function parse(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString('utf8')) as unknown
  } catch {
    // The parser's message would quote the text.
    throw new PolicyError('unable to decode data masking rules, reason=this is not JSON')
  }
}

/** Names the place and the expected value, never the value found. */
function wrong(issue: v.BaseIssue<unknown>): string {
  const where = v.getDotPath(issue) ?? 'the whole'
  return `wrong at ${where}: ${issue.expected ?? 'another value'} is expected`
}

/**
 * A type without a score gets the score 1. In hoop, Go reads a missing score as 0, so hoop's engine finds
 * nothing.
 */
function customType({ name, regex, deny_list: denyList, score }: v.InferOutput<typeof CUSTOM>): CustomType {
  return {
    name,
    regex: regex === '' ? undefined : (regex ?? undefined),
    denyList: (denyList ?? []).filter((text) => text !== ''),
    score: score === 0 ? 1 : (score ?? 1),
  }
}
