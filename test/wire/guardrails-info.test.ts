import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeGuardrailsInfo, encodeGuardrailsInfo } from '../../src/wire/messages/guardrails-info.ts'

const info = {
  ...{ ruleName: '', type: 'pattern_match', words: [], pattern: 'a+', direction: 'output' as const },
  ...{ matchedWords: ['a+'], message: 'no a' },
}

describe('client.guardrails_info', () => {
  it('has the members of hoop, without those that are empty', () => {
    expect(
      String(encodeGuardrailsInfo([info, { ...info, pattern: '', matchedWords: [], message: '' }])),
    ).toBe(
      '[{"rule_name":"","rule":{"type":"pattern_match","pattern_regex":"a+"},"direction":"output","matched_words":["a+"],"message":"no a"},{"rule_name":"","rule":{"type":"pattern_match"},"direction":"output"}]',
    )
  })

  it('is read as it was written', () => {
    const text = fc.string()
    const direction = fc.constantFrom('input' as const, 'output' as const)
    const any = fc.record({
      ...{ ruleName: text, type: text, words: fc.array(text), pattern: text, direction },
      ...{ matchedWords: fc.array(text), message: text },
    })
    fc.assert(
      fc.property(fc.array(any), (infos) => {
        expect(decodeGuardrailsInfo(encodeGuardrailsInfo(infos))).toEqual(infos)
      }),
    )
  })

  it.each(['', '{', 'null', '{}', '[null]', '[1]', '[{"rule":3,"matched_words":[null,{}]}]'])(
    'of any content is no error: %s',
    (json) => {
      expect(() => decodeGuardrailsInfo(Buffer.from(json))).not.toThrow()
    },
  )

  it('is none where there is no JSON list', () => {
    expect(
      [undefined, '', '{', '{}'].map((json) =>
        decodeGuardrailsInfo(json === undefined ? json : Buffer.from(json)),
      ),
    ).toEqual([[], [], [], []])
  })
})
