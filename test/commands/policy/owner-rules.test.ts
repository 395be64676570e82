import { chmodSync, chownSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { examineOwnerRules } from '../../../src/commands/policy/owner-rules.ts'
import { Workplace } from '../../support/sites/workplace.ts'

const isRoot = process.geteuid?.() === 0
const WORDS = 'rules: [{type: deny_words_list, words: [DROP]}]\n'

async function problems(inputRules: string[], outputRules: string[] = []) {
  const lists = { programs: undefined, variables: undefined, connections: undefined, origins: undefined }
  return (await examineOwnerRules({ inputRules, outputRules, ...lists })).problems
}

describe("what is wrong in a rule file of the owner's", () => {
  it.each([
    [
      'a pattern that RE2 does not take',
      'rules:\n  - type: pattern_match\n    pattern_regex: (?!a)\n',
      ':2: this rule cannot be enforced: failed parsing regex',
    ],
    [
      'an unknown type, in JSON',
      '{"rules":[\n{"rules":[\n{"type":"deny_words_list","words":["a"]},\n{"type":"x"}]}]}',
      ':4: this rule cannot be enforced: unknown rule type "x"',
    ],
    ['words that are no list', '\nrules:\n- words: a\n', ':3:10: unable to decode rules'],
    [
      'a slip of the pen',
      'rules:\n- type: deny_words_list\n  words: [a]\n  mesage: no\n',
      ':4:3: rule 0 of set 0: mesage is not a member of a rule',
    ],
    ['a rule without words', '- rules: [{type: deny_words_list}]\n', ':1:11: this rule stops no text'],
    [
      'a pattern of the other type',
      'rules: [{type: deny_words_list, pattern_regex: a}]',
      ':1:9: this rule stops no text',
    ],
    ['no YAML', 'rules: [', ':1:9: the indentation is wrong or a bracket was not closed'],
    ['no rules', 'input_rules:\n', ' has no rules for input'],
    [
      'rules for output, which nobody reads',
      'input_rules: [{rules: [{type: deny_words_list, words: [a]}]}]\noutput_rules: [{rules: []}]\n',
      ' also has output_rules, which the agent does not enforce',
    ],
  ])('is told with its place: %s', async (_, text, expected) => {
    using place = new Workplace()
    const file = place.write('rules.yaml', text)
    expect(await problems([file])).toEqual([expect.stringContaining(`${file}${expected}`)])
  })

  it('is told of all files', async () => {
    using place = new Workplace()
    const missing = place.at('none.yaml')
    const wrong = place.write('wrong.yaml', 'a: b\n')
    expect(await problems([missing], [wrong])).toEqual([
      `${missing} does not exist`,
      `${wrong}:1:1: rules, input_rules or output_rules is required`,
    ])
  })

  it('is that others may write to it', async () => {
    using place = new Workplace()
    const file = place.write('rules.yaml', WORDS)
    expect(await problems([file])).toEqual([])
    chmodSync(file, 0o664)
    expect(await problems([file])).toEqual([`${file} can be written to by other users: chmod go-w`])
  })

  it.skipIf(!isRoot)('is that it belongs to somebody else (needs root, to give it away)', async () => {
    using place = new Workplace()
    const file = place.write('rules.yaml', WORDS)
    chownSync(file, 65_534, 65_534)
    expect(await problems([file])).toEqual([`${file} belongs to uid 65534: it must belong to root`])
  })

  it('is nothing where a file has rules for both and is named for both', async () => {
    using place = new Workplace()
    const set = '[{rules: [{type: deny_words_list, words: [a]}]}]'
    const file = place.write('both.yaml', `input_rules: ${set}\noutput_rules: ${set}\n`)
    expect(await problems([file], [file])).toEqual([])
  })
})
