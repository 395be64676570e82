import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { checkText } from '../../../src/policy/guardrails/compile-rules.ts'
import { decodeGuardrails } from '../../../src/policy/guardrails/payload.ts'
import type { Rule, RuleSet, Verdict } from '../../../src/policy/guardrails/rules.ts'

/** What hoop's own evaluator answered; test/fixtures/vectors/README.md tells how the file was made. */
interface Vector {
  readonly id: string
  readonly note?: string
  readonly direction: 'input' | 'output'
  readonly rules: readonly unknown[]
  readonly text: string
  readonly outcome: Verdict['outcome']
  readonly hit?: { set: number; rule: number; type: string; word?: string; match?: string; message?: string }
  readonly error?: string
  readonly reference_text?: string
}

const vectors = JSON.parse(
  readFileSync(new URL('../../fixtures/vectors/guardrails.json', import.meta.url), 'utf8'),
) as Vector[]

function setsOf({ direction, rules }: Vector): readonly RuleSet[] {
  const payload = { input_rules: null, output_rules: null, [`${direction}_rules`]: rules }
  return decodeGuardrails(Buffer.from(JSON.stringify(payload)))[direction]
}

/** The reference's own text for a violation. */
function referenceText(direction: Vector['direction'], { type, words, pattern }: Rule): string {
  const rules = direction === 'input' ? 'InputRules' : 'OutputRules'
  const what = type === 'pattern_match' ? `pattern=${pattern}` : `words=[${words.join(' ')}]`
  return `validation error, match guard rails ${rules} rule, type=${type}, ${what}`
}

describe('the answers of the reference evaluator', () => {
  it.each(vectors)('$id $note', async (vector) => {
    const verdict = await checkText(setsOf(vector), Buffer.from(vector.text))
    expect(verdict.outcome).toBe(vector.outcome)
    if (verdict.outcome === 'error') expect(verdict.message).toBe(vector.error)
    if (verdict.outcome !== 'violation') return
    const { set, rule, hit, matched } = verdict
    expect({ set, rule, type: hit.type, message: hit.message }).toEqual({
      set: vector.hit?.set,
      rule: vector.hit?.rule,
      type: vector.hit?.type,
      message: vector.hit?.message ?? '',
    })
    expect(matched[0]).toBe(vector.hit?.word ?? hit.pattern)
    expect(referenceText(vector.direction, hit)).toBe(vector.reference_text)
  })
})
