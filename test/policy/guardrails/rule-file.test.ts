import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FileRefused } from '../../../src/basics/files/small-file.ts'
import { SettingsError } from '../../../src/basics/settings/problems.ts'
import { readRuleFile } from '../../../src/policy/guardrails/rule-file.ts'

let file: string
let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rules-'))
  file = join(folder, 'rules')
})
afterAll(() => rmSync(folder, { recursive: true }))

function read(text: string, direction: 'input' | 'output' = 'input') {
  writeFileSync(file, text)
  return readRuleFile(file, direction, 1000)
}

const A = { type: 'deny_words_list', words: ['a'] }
const B = { type: 'deny_words_list', words: ['b'] }

describe('a file of rules', () => {
  it.each([
    ['one set', { rules: [A, B] }, [{ rules: [A, B] }], [0, 'rules', 1], ['rules', 1]],
    ['a list of sets', [{ rules: [A] }, { rules: [B] }], undefined, [1, 'rules', 0], [1, 'rules', 0]],
    ['sets in rules', { rules: [{ rules: [A] }] }, [{ rules: [A] }], [0, 'rules'], ['rules', 0, 'rules']],
    ['no rules', { rules: [] }, [{ rules: [] }], [], []],
    ['what a gateway sends', { input_rules: [{ rules: [A] }] }, [{ rules: [A] }], [0], ['input_rules', 0]],
    ['rules of the other direction', { output_rules: [{ rules: [A] }] }, 'none', [], ['input_rules']],
  ])('has %s, as YAML and as JSON, and knows where they stand', (_, content, sets, asked, path) => {
    for (const text of [JSON.stringify(content), JSON.stringify(content).replaceAll('"', "'")]) {
      const found = read(text)
      expect(found.sets).toEqual(sets === 'none' ? undefined : (sets ?? content))
      expect(found.pathOf(asked)).toEqual(path)
    }
  })

  it.each([
    ['for both directions', { input_rules: [{ rules: [A] }], output_rules: [{ rules: [B] }] }, true],
    ['for the asked direction alone', { input_rules: [{ rules: [A] }] }, false],
    ['for the asked direction, and none for the other one', { input_rules: [], output_rules: [] }, false],
    ['for no direction', { rules: [A] }, false],
    ['in a list', [{ rules: [A] }], false],
  ])('with rules %s says whether there are others: %o', (_, content, hasOthers) => {
    expect(read(JSON.stringify(content)).hasOthers).toBe(hasOthers)
  })

  it('names line and column of a rule, in JSON too', () => {
    const json = '{ "output_rules": [\n  { "rules": [{},\n    { "type": 7 }] }] }'
    expect(read(json, 'output').placeOf([0, 'rules', 1, 'type'])).toBe(`${file}:3:15`)
    const yaml = 'rules:\n  - type: x\n  - words: [a]\n'
    expect(read(yaml).placeOf([0, 'rules', 1])).toBe(`${file}:3:5`)
    expect(read(yaml).placeOf([0, 'rules', 1, 'message'])).toBe(`${file}:3:5`)
  })

  it.each([
    ['nothing', '', ':1:1: a map with rules, or a list of such maps, is expected'],
    ['a string', 'hello', ':1:1: a map with rules, or a list of such maps, is expected'],
    ['other settings', 'words: [a]', ':1:1: rules, input_rules or output_rules is required'],
    ['no YAML', 'rules: [\n  "', ':2:4: '],
    ['a name twice', 'rules: []\nrules: []\n', ':2:1: this name is used twice'],
  ])('is refused when it holds %s', (_, text, message) => {
    expect(() => read(text)).toThrow(SettingsError)
    expect(() => read(text)).toThrow(`${file}${message}`)
  })

  it('is refused when it is too long or not there', () => {
    expect(() => read(' '.repeat(1001))).toThrow(new FileRefused('TOO-LONG', 'is longer than 1000 bytes'))
    expect(() => readRuleFile(`${file}.none`, 'input', 1000)).toThrow('does not exist')
  })
})
