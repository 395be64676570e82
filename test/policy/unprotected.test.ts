import { describe, expect, it } from 'vitest'
import { refusalOf, type AskedProtections } from '../../src/policy/unprotected.ts'

const nothing: AskedProtections = {
  guardRailRules: undefined,
}
const json = (value: unknown) => Buffer.from(JSON.stringify(value))
const rules = { input_rules: [{ rules: [{ type: 'deny_words_list', words: ['DROP'] }] }], output_rules: [] }

describe('what this agent cannot protect', () => {
  it.each([
    ['guardrail rules', { guardRailRules: json(rules) }],
    ['guardrail rules of an unknown form', { guardRailRules: json([1]) }],
    ['guardrail rules that are no JSON', { guardRailRules: Buffer.from('{') }],
  ])('is refused: %s', (_, asked) => {
    expect(refusalOf({ ...nothing, ...asked })).toContain('nothing was run')
  })

  it.each([
    ['nothing asked', {}],
    ['empty rule lists', { guardRailRules: json({ input_rules: [], output_rules: null }) }],
    ['no rules in so many words', { guardRailRules: json(null) }],
  ])('is not asked for: %s', (_, asked) => {
    expect(refusalOf({ ...nothing, ...asked })).toBeUndefined()
  })
})
