import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { Workplace } from '../../../support/sites/workplace.ts'

const root = fileURLToPath(new URL('../../../..', import.meta.url))

function check(text: string | Buffer, ...args: string[]) {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [`${root}/dist/main.js`, 'policy', 'check', ...args],
    { encoding: 'utf8', input: text },
  )
  return { stdout, stderr, status }
}

const WORDS = {
  type: 'deny_words_list',
  words: ['DROP', 'TABLE', 'x'],
  pattern_regex: '',
  message: 'not here',
}
const PATTERN = { type: 'pattern_match', words: null, pattern_regex: '(?i)key=\\d+', message: '' }

describe('policy check', () => {
  it('says that a text passes', () => {
    using place = new Workplace()
    place.write('rules.json', JSON.stringify({ rules: [WORDS, PATTERN] }))
    const rules = place.at('rules.json')
    expect(check('select 1', '--rules', rules)).toEqual({
      stdout: 'passes: the 2 rules do not stop this input\n',
      stderr: '',
      status: 0,
    })
    expect(check('select 1', '--rules', rules, '--json')).toEqual({
      stdout: '{"outcome":"pass"}\n',
      stderr: '',
      status: 0,
    })
  })

  it('says which rule stops a text, with the words that occurred or the text that matched', () => {
    using place = new Workplace()
    place.write('rules.json', JSON.stringify([{ rules: [WORDS] }, { rules: [WORDS, PATTERN] }]))
    const rules = place.at('rules.json')
    expect(check('TABLE, DROP', '--rules', rules)).toEqual({
      stdout: 'stopped by rule 0 of set 0, deny_words_list: "DROP", "TABLE" (not here)\n',
      stderr: '',
      status: 1,
    })
    expect(JSON.parse(check('a KEY=12\n', '--rules', rules, '--json').stdout)).toEqual({
      outcome: 'violation',
      set: 1,
      rule: 1,
      matched: ['KEY=12'],
      message: '',
    })
  })

  it('has no answer when a rule cannot be enforced', () => {
    using place = new Workplace()
    place.write('rules.json', JSON.stringify({ rules: [{ ...PATTERN, pattern_regex: '(?!x)' }] }))
    const reason =
      'failed parsing regex, reason=error parsing regexp: invalid or unsupported Perl syntax: `(?!`'
    expect(check('a', '--rules', place.at('rules.json'))).toEqual({
      stdout: '',
      stderr: `runbook-agent: rule 0 of set 0 cannot be enforced, so an agent would stop every text: ${reason}\n`,
      status: 2,
    })
    const { stdout, status } = check('a', '--rules', place.at('rules.json'), '--json')
    expect([JSON.parse(stdout), status]).toEqual([{ outcome: 'error', set: 0, rule: 0, message: reason }, 2])
  })

  it('takes YAML, and the payload of a gateway with the rules of one direction', () => {
    using place = new Workplace()
    place.write('rules.yaml', 'rules:\n  - type: deny_words_list\n    words: [no, ~]\n    message:\n')
    expect(check('no', '--rules', place.at('rules.yaml')).status).toBe(1)
    place.write('payload.json', JSON.stringify({ input_rules: null, output_rules: [{ rules: [WORDS] }] }))
    expect(check('DROP', '--rules', place.at('payload.json'))).toEqual({
      stdout: 'passes: the 0 rules do not stop this input\n',
      stderr: `${place.at('payload.json')} has no rules for input\n`,
      status: 0,
    })
    expect(check('DROP', '--rules', place.at('payload.json'), '--direction', 'output').status).toBe(1)
  })

  it('names members that mean nothing, since a slip of the pen lets everything pass', () => {
    using place = new Workplace()
    place.write('rules.yaml', 'rules: [{type: deny_words_list, word: [no]}]')
    const { stderr, status } = check('no', '--rules', place.at('rules.yaml'))
    expect([stderr, status]).toEqual([
      `${place.at('rules.yaml')}:1:33: rule 0 of set 0: word is not a member of a rule; the members are type, words, pattern_regex, message\n`,
      0,
    ])
  })

  it.each([
    ['a file that is not there', undefined, 'rules does not exist'],
    ['a file that is neither JSON nor YAML', '{"rules": [', 'rules:1:12: the indentation is wrong'],
    ['a file without rules', 'words: [a]', 'rules:1:1: rules, input_rules or output_rules is required'],
    ['a file that holds a text', 'hello', 'rules:1:1: a map with rules, or a list of such maps, is expected'],
    [
      'rules of the wrong form',
      'rules: [{words: a}]',
      'rules:1:17: unable to decode rules, reason=rules[0].rules[0].words is not a list',
    ],
    ['a file that is no text', Buffer.from([0xff]), 'rules is not UTF-8 text'],
  ])('exits 2 for %s, and says it as JSON too', (_, content, message) => {
    using place = new Workplace()
    if (content !== undefined) writeFileSync(place.at('rules'), content)
    const { stderr, stdout, status } = check('a', '--rules', place.at('rules'), '--json')
    expect(stderr).toContain(message)
    expect(JSON.parse(stdout)).toEqual({
      outcome: 'error',
      message: expect.stringContaining(message) as string,
    })
    expect(status).toBe(2)
  })

  it.each([
    ['no rules', [], "required option '--rules <file>' not specified"],
    ['an unknown option', ['--rules', 'x', '--nosuch'], "unknown option '--nosuch'"],
    ['an unknown direction', ['--rules', 'x', '--direction', 'up'], 'Allowed choices are input, output'],
  ])('exits 2 for wrong arguments: %s', (_, args, message) => {
    const { stderr, status } = check('a', ...args)
    expect(stderr).toContain(message)
    expect(status).toBe(2)
  })

  it('reads bytes that are no text, and large texts', () => {
    using place = new Workplace()
    place.write('rules.yaml', 'rules: [{type: pattern_match, pattern_regex: "a\\ufffdb$"}]')
    const bytes = Buffer.concat([Buffer.alloc(3_000_000, 'x'), Buffer.from([0x61, 0xff, 0x62])])
    expect(JSON.parse(check(bytes, '--rules', place.at('rules.yaml'), '--json').stdout)).toMatchObject({
      outcome: 'violation',
      matched: ['a\ufffdb'],
    })
  })
})

interface Vector {
  readonly id: string
  readonly direction: string
  readonly rules: readonly unknown[]
  readonly text: string
  readonly outcome: string
  readonly error?: string
  readonly hit?: {
    readonly set: number
    readonly rule: number
    word?: string
    match?: string
    message?: string
  }
}

it('policy check answers each vector of the reference evaluator', () => {
  using place = new Workplace()
  const vectors = JSON.parse(
    readFileSync(`${root}/test/fixtures/vectors/guardrails.json`, 'utf8'),
  ) as Vector[]
  // Every seventh: each is a process. test/policy/guardrails/vectors.test.ts has them all.
  for (const { id, direction, rules, text, outcome, error, hit } of vectors.filter((_, n) => n % 7 === 0)) {
    place.write('rules.json', JSON.stringify(rules))
    const { stdout, status } = check(
      text,
      '--rules',
      place.at('rules.json'),
      '--direction',
      direction,
      '--json',
    )
    const { matched, ...answer } = JSON.parse(stdout) as { matched?: string[] }
    expect([id, status]).toEqual([id, ['pass', 'violation', 'error'].indexOf(outcome)])
    expect(answer).toMatchObject({
      outcome,
      ...(hit && { set: hit.set, rule: hit.rule, message: hit.message ?? '' }),
    })
    if (error !== undefined) expect(answer).toMatchObject({ message: error })
    expect(matched?.[0]).toBe(hit?.word ?? hit?.match)
  }
})
