import { describe, expect, it } from 'vitest'
import { blockedText, guardRailRules, withNames } from '../../../src/gateway/sessions/guardrails.ts'
import type { GuardrailInfo } from '../../../src/wire/messages/guardrails-info.ts'

const words = { type: 'deny_words_list', words: ['DROP', 'a<b'], pattern: '', message: 'no drops' }
const pattern = { type: 'pattern_match', words: [], pattern: '[0-9]+', message: '' }
const rails = [
  { name: 'drops', input: [words], output: [] },
  { name: 'numbers', input: [], output: [pattern] },
]
const info = (rule: typeof words | typeof pattern, direction: GuardrailInfo['direction']): GuardrailInfo => ({
  ...{ ruleName: '', ...rule, direction, matchedWords: ['DROP'] },
})

describe('guardrails of gateway.yaml', () => {
  it('go to the agent in the form of hoop, a set for each name, without the names', () => {
    expect(JSON.parse(String(guardRailRules(rails)))).toEqual({
      input_rules: [
        {
          rules: [
            { type: 'deny_words_list', words: ['DROP', 'a<b'], pattern_regex: '', message: 'no drops' },
          ],
        },
      ],
      output_rules: [{ rules: [{ type: 'pattern_match', words: [], pattern_regex: '[0-9]+', message: '' }] }],
    })
    expect(guardRailRules([])).toBeUndefined()
  })

  it('give a broken rule its name back, and leave one that the agent has named', () => {
    const owners = { ...info(words, 'input'), ruleName: 'agent policy' }
    expect(
      withNames([info(words, 'input'), info(words, 'output'), info(pattern, 'output'), owners], rails).map(
        ({ ruleName }) => ruleName,
      ),
    ).toEqual(['drops', '', 'numbers', 'agent policy'])
  })

  it("are recorded in the words of hoop's gateway, one rule or several", () => {
    const [one, two] = withNames([info(words, 'input'), info(pattern, 'output')], rails)
    if (one === undefined || two === undefined) throw new Error('two were given')
    expect([blockedText([]), blockedText([one]), blockedText([one, two])]).toEqual([
      '',
      'Blocked by the following Guardrails rule: no drops, match guard rail [InputRules:drops] rule, type=deny_words_list, words=[DROP a<b]',
      'Blocked because 2 Guardrails rules were violated: no drops, match guard rail [InputRules:drops] rule, type=deny_words_list, words=[DROP a<b]; match guard rail [OutputRules:numbers] rule, type=pattern_match, patterns=[0-9]+',
    ])
  })
})
