import { describe, expect, it } from 'vitest'
import { decodeGuardrails } from '../../../src/policy/guardrails/payload.ts'

const rule = (words: readonly string[]) => ({
  type: 'deny_words_list',
  words,
  pattern_regex: '',
  message: '',
})
const decode = (payload: unknown) => decodeGuardrails(Buffer.from(JSON.stringify(payload)))
const words = (sets: ReturnType<typeof decode>['input']) =>
  sets.map(({ rules }) => rules.map((each) => each.words))

describe('guardrail rules of a session', () => {
  it('are read as Go writes them', () => {
    const payload = String.raw`{"input_rules":[{"rules":[{"type":"pattern_match","words":null,"pattern_regex":"\u003cb\u003e \u0026","message":"no b"}]}],"output_rules":null}`
    expect(decodeGuardrails(Buffer.from(payload))).toEqual({
      input: [{ rules: [{ type: 'pattern_match', words: [], pattern: '<b> &', message: 'no b' }] }],
      output: [],
    })
  })

  it.each([
    ['no field', undefined],
    ['an empty field', Buffer.alloc(0)],
    ['null', Buffer.from('null')],
    ['null lists', Buffer.from('{"input_rules":null,"output_rules":null}')],
    ['empty lists', Buffer.from('{"input_rules":[],"output_rules":[]}')],
    ['no lists', Buffer.from('{}')],
  ])('may be none: %s', (_, payload) => {
    expect(decodeGuardrails(payload)).toEqual({ input: [], output: [] })
  })

  it('may have members of a newer gateway, names in another case, and null for what is empty', () => {
    const payload = {
      Input_Rules: [{ ID: 1, Rules: [{ type: 'deny_words_list', Words: ['a', null], severity: [3] }] }, null],
      analyzer: {},
    }
    expect(decode(payload).input).toEqual([
      { rules: [{ type: 'deny_words_list', words: ['a', ''], pattern: '', message: '' }] },
      { rules: [] },
    ])
  })

  it('drop sets that are equal to an earlier one, and keep the order', () => {
    const [a, b] = [{ rules: [rule(['a'])] }, { rules: [rule(['b']), rule(['a'])] }]
    expect(words(decode({ input_rules: [a, b, a, b], output_rules: [a] }).input)).toEqual([
      [['a']],
      [['b'], ['a']],
    ])
  })

  it('keep sets that differ in a message or in the order of their rules', () => {
    const told = { rules: [{ ...rule(['a']), message: 'no' }] }
    expect(decode({ input_rules: [{ rules: [rule(['a'])] }, told] }).input).toHaveLength(2)
    const turned = [{ rules: [rule(['a']), rule(['b'])] }, { rules: [rule(['b']), rule(['a'])] }]
    expect(decode({ input_rules: turned }).input).toHaveLength(2)
  })

  it('have U+FFFD for half a surrogate pair, as in Go', () => {
    const payload = String.raw`{"input_rules":[{"rules":[{"type":"deny_words_list","words":["\ud800"]}]}]}`
    expect(words(decodeGuardrails(Buffer.from(payload)).input)).toEqual([[['\ufffd']]])
  })
})

describe('an undecodable payload is an error that says where and quotes nothing', () => {
  it.each([
    ['{"input_rules":[{"rules":[{"words":["hidden"', 'it is not JSON'],
    ['{} hidden', 'it is not JSON'],
    ['["hidden"]', 'it is not an object'],
    ['{"input_rules":"hidden"}', 'input_rules is not a list'],
    ['{"output_rules":["hidden"]}', 'output_rules[0] is not an object'],
    ['{"output_rules":[{"rules":"hidden"}]}', 'output_rules[0].rules is not a list'],
    ['{"input_rules":[null,{"rules":["hidden"]}]}', 'input_rules[1].rules[0] is not an object'],
    ['{"input_rules":[{"rules":[{"type":7}]}]}', 'input_rules[0].rules[0].type is not a string'],
    ['{"input_rules":[{"rules":[{"words":"hidden"}]}]}', 'input_rules[0].rules[0].words is not a list'],
    [
      '{"input_rules":[{"rules":[{"words":["hidden",7]}]}]}',
      'input_rules[0].rules[0].words[1] is not a string',
    ],
    [
      '{"input_rules":[{"rules":[{"pattern_regex":[]}]}]}',
      'input_rules[0].rules[0].pattern_regex is not a string',
    ],
    ['{"input_rules":[{"rules":[{"message":{}}]}]}', 'input_rules[0].rules[0].message is not a string'],
  ])('%s', (payload, reason) => {
    expect(() => decodeGuardrails(Buffer.from(payload))).toThrow(`unable to decode rules, reason=${reason}`)
    expect(() => decodeGuardrails(Buffer.from(payload))).not.toThrow(/hidden/)
  })
})
