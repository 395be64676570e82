import type { ConnectionParams } from '../../../src/wire/params.ts'

/** Rules that forbid words, each in a rule of its own that says so. */
export function guardrails(words: {
  readonly input?: readonly string[]
  readonly output?: readonly string[]
}): Pick<ConnectionParams, 'guardRailRules'> {
  const sets = (all: readonly string[] = []) => [
    { rules: all.map((word) => ({ type: 'deny_words_list', words: [word], message: `no ${word}` })) },
  ]
  const rules = { input_rules: sets(words.input), output_rules: sets(words.output) }
  return { guardRailRules: Buffer.from(JSON.stringify(rules)) }
}

interface Masked {
  readonly types: readonly string[]
  readonly threshold?: number
  readonly custom?: readonly object[]
}

/** Masking by the local engine, in strict mode. */
export function masking({ types, threshold = 0.5, custom = [] }: Masked): Partial<ConnectionParams> {
  const rule = {
    score_threshold: threshold,
    supported_entity_types: [{ entity_types: types }],
    custom_entity_types: custom,
  }
  const dataMaskingEntityTypesData = Buffer.from(JSON.stringify([rule]))
  return { dlpProvider: 'alcatraz', dlpMode: 'strict', dataMaskingEntityTypesData }
}
