import { describe, expect, it } from 'vitest'
import { refusalOf, type AskedProtections } from '../../src/policy/unprotected.ts'

const nothing: AskedProtections = {
  guardRailRules: undefined,
  dlpProvider: '',
  dlpMode: '',
  dlpInfoTypes: [],
  dataMaskingEntityTypesData: undefined,
}
const json = (value: unknown) => Buffer.from(JSON.stringify(value))
const rules = { input_rules: [{ rules: [{ type: 'deny_words_list', words: ['DROP'] }] }], output_rules: [] }
const types = [{ id: '1', name: 'm', supported_entity_types: [] }]

describe('what this agent cannot protect', () => {
  it.each([
    ['guardrail rules', { guardRailRules: json(rules) }],
    ['guardrail rules of an unknown form', { guardRailRules: json([1]) }],
    ['guardrail rules that are no JSON', { guardRailRules: Buffer.from('{') }],
    [
      'strict masking of entity types',
      { dlpProvider: 'mspresidio', dlpMode: 'strict', dataMaskingEntityTypesData: json(types) },
    ],
    [
      'strict masking of info types',
      { dlpProvider: 'gcp', dlpMode: 'strict', dlpInfoTypes: ['EMAIL_ADDRESS'] },
    ],
    [
      'strict masking that is no JSON',
      { dlpProvider: 'gcp', dlpMode: 'strict', dataMaskingEntityTypesData: Buffer.from('x') },
    ],
  ])('is refused: %s', (_, asked) => {
    expect(refusalOf({ ...nothing, ...asked })).toContain('nothing was run')
  })

  it.each([
    ['nothing asked', {}],
    ['empty rule lists', { guardRailRules: json({ input_rules: [], output_rules: null }) }],
    ['no rules in so many words', { guardRailRules: json(null) }],
    [
      'masking that may fail',
      { dlpProvider: 'mspresidio', dlpMode: 'best-effort', dataMaskingEntityTypesData: json(types) },
    ],
    [
      'strict masking of nothing',
      { dlpProvider: 'mspresidio', dlpMode: 'strict', dataMaskingEntityTypesData: json([]) },
    ],
    ['masking types without a provider', { dlpMode: 'strict', dlpInfoTypes: ['EMAIL_ADDRESS'] }],
  ])('is not asked for: %s', (_, asked) => {
    expect(refusalOf({ ...nothing, ...asked })).toBeUndefined()
  })
})
