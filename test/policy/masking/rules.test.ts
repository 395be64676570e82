import { describe, expect, it } from 'vitest'
import { customRecognizers } from '../../../src/policy/masking/custom.ts'
import { Masking } from '../../../src/policy/masking/masking.ts'
import { decodeCustomTypes, decodeMasking, EVERYTHING } from '../../../src/policy/masking/rules.ts'

const decode = (rules: unknown) => decodeMasking(Buffer.from(JSON.stringify(rules)))

describe('data masking rules of a gateway', () => {
  it('unites the types and custom types of all rules, and takes the lowest threshold', () => {
    const rules = decode([
      {
        id: '1',
        name: 'a',
        supported_entity_types: [{ name: 'PII', entity_types: ['EMAIL_ADDRESS', 'US_SSN'] }],
        score_threshold: 0.8,
        custom_entity_types: null,
      },
      {
        supported_entity_types: [{ entity_types: ['US_SSN'] }, { name: 'empty', entity_types: null }],
        score_threshold: 0.6,
        custom_entity_types: [{ name: 'ORDER', regex: 'A\\d+', deny_list: null, score: 0.9 }],
      },
    ])
    expect(rules).toMatchObject({
      entities: ['EMAIL_ADDRESS', 'US_SSN'],
      threshold: 0.6,
      custom: [{ name: 'ORDER', regex: 'A\\d+', denyList: [], score: 0.9 }],
    })
  })

  it('takes 0.5 for a rule without a threshold', () => {
    const types = [{ entity_types: ['URL'] }]
    expect(decode([{ supported_entity_types: types, score_threshold: null }])).toMatchObject({
      threshold: 0.5,
    })
    expect(
      decode([{ supported_entity_types: types, score_threshold: 0.9 }, { supported_entity_types: types }]),
    ).toMatchObject({ threshold: 0.5 })
  })

  it('unites any number of rules', () => {
    const rules = Array.from({ length: 200_000 }, () => ({ supported_entity_types: null }))
    const named = { supported_entity_types: [{ entity_types: ['URL'] }], score_threshold: 0.4 }
    expect(decode([...rules, named])).toMatchObject({ entities: ['URL'], threshold: 0.4 })
  })

  it('asks for nothing where no rule names a type', () => {
    const nothing = [
      undefined,
      Buffer.alloc(0),
      ...['null', '[]', '[{"supported_entity_types":null}]'].map((text) => Buffer.from(text)),
    ]
    expect(nothing.map((payload) => decodeMasking(payload))).toEqual(nothing.map(() => undefined))
  })

  it('tolerates members that it does not know', () => {
    const rule = { supported_entity_types: [{ entity_types: ['URL'], color: 1 }], owner: { id: 7 } }
    expect(decode([rule])).toMatchObject({ entities: ['URL'] })
  })

  it.each([
    ['is no JSON', '{"a', 'this is not JSON'],
    ['is no list', '{}', 'wrong at the whole: Array is expected'],
    ['has a rule that is none', '[1]', 'wrong at 0: Object is expected'],
    ['has a threshold above 1', '[{"score_threshold":3}]', 'wrong at 0.score_threshold: <=1 is expected'],
    [
      'has names that are none',
      '[{"supported_entity_types":[{"entity_types":[1]}]}]',
      'wrong at 0.supported_entity_types.0.entity_types.0: string is expected',
    ],
    [
      'has a custom type without a name',
      '[{"custom_entity_types":[{"regex":"a"}]}]',
      'wrong at 0.custom_entity_types.0.name: "name" is expected',
    ],
  ])('refuses what %s', (_, payload, reason) => {
    expect(() => decodeMasking(Buffer.from(payload))).toThrow(
      `unable to decode data masking rules, reason=${reason}`,
    )
  })
})

describe('custom types', () => {
  it('are certain where their score is missing or 0, with which the reference finds nothing', () => {
    const types = decodeCustomTypes([
      { name: 'A', regex: 'a' },
      { name: 'B', regex: 'b', score: 0 },
      { name: 'C', regex: 'c', score: 0.1 },
    ])
    expect(types.map(({ score }) => score)).toEqual([1, 1, 0.1])
  })

  it.each([
    [
      'a regex that RE2 does not take',
      { name: 'X', regex: 'a(?!b)' },
      'custom type X: error parsing regexp: invalid or unsupported Perl syntax: `(?!`',
    ],
    [
      'neither a regex nor a list',
      { name: 'X', regex: '', deny_list: [''] },
      'custom type X has neither a regex nor a deny_list',
    ],
    [
      'a regex that takes too long',
      { name: 'X', regex: '\\d{1,999}' },
      'custom type X: the regex has 1999 steps, maximum is 800; lower the repeat counts',
    ],
    [
      'a regex that is too long',
      { name: 'X', regex: 'a'.repeat(4097) },
      'custom type X: the pattern is longer than 4096 bytes',
    ],
  ])('are refused with %s', (_, custom, message) => {
    expect(() => new Masking({ ...EVERYTHING, custom: decodeCustomTypes([custom]) })).toThrow(message)
  })

  it.each([
    [
      'steps of regexes',
      Array.from({ length: 200 }, (_, n) => ({ name: `X${n}`, regex: '\\w{700}' })),
      'custom type X142: this type and the types before it have 100386 steps of regexes; the maximum is 100000',
    ],
    [
      'characters in deny lists',
      ['A', 'B'].map((name) => ({ name, deny_list: Array.from({ length: 300 }, () => 'x'.repeat(500)) })),
      'custom type B: this type and the types before it have 300000 characters in the deny lists; the maximum is 250000',
    ],
    [
      'characters in one text of a list',
      [{ name: 'X', deny_list: ['x'.repeat(1001)] }],
      'custom type X: a string of the deny_list has more than 1000 characters',
    ],
  ])('are refused by name beyond a number of %s', (_, custom, message) => {
    expect(() => new Masking({ ...EVERYTHING, custom: decodeCustomTypes(custom) })).toThrow(message)
  })

  it('are compiled in parts, between which others have their turns', () => {
    const words = Array.from({ length: 20_000 }, (_, n) => `word-${n}`)
    const regexes = Array.from({ length: 1000 }, (_, n) => ({ name: `X${n}`, regex: `\\bx${n}y\\b` }))
    const list = customRecognizers(decodeCustomTypes([{ name: 'NAME', deny_list: words }]))
    const many = customRecognizers(decodeCustomTypes(regexes))
    expect([...list].length).toBeGreaterThanOrEqual(100)
    expect([...many].length).toBeGreaterThanOrEqual(1000)
  })

  it('find each of 20,000 texts', async () => {
    const words = Array.from({ length: 20_000 }, (_, n) => `word-${n}x`)
    const custom = decodeCustomTypes([{ name: 'W', deny_list: words }])
    const masking = await Masking.compiled({ ...EVERYTHING, entities: [], custom })
    const text = `${words.join(' ')} word-20000x`
    expect(masking.mask(Buffer.from(text)).toString()).toBe(`${'<W> '.repeat(20_000)}word-20000x`)
  })

  it('find the texts of a deny list as whole words, in any case, the longest first', () => {
    const custom = decodeCustomTypes([{ name: 'NAME', deny_list: ['ann', 'Ann Lee', 'c++'] }])
    const masking = new Masking({ ...EVERYTHING, entities: [], custom })
    const masked = masking.mask(Buffer.from('ANN ann lee, ann leeds; anna éann c++ (c++) xc++')).toString()
    expect(masked).toBe('<NAME> <NAME>, <NAME> leeds; anna éann <NAME> (<NAME>) xc++')
  })
})

describe('types that are asked for', () => {
  it('are named where they need a language model, or are not known', () => {
    const masking = new Masking({
      ...EVERYTHING,
      entities: ['PERSON', 'URL', 'NRP', 'LOCATION', 'SHOE_SIZE'],
    })
    expect(masking.unserved).toEqual({ needModel: ['PERSON', 'NRP', 'LOCATION'], unknown: ['SHOE_SIZE'] })
    expect(masking.mask(Buffer.from('http://a.example')).toString()).toBe('<URL>')
  })

  it('may name a custom type', () => {
    const custom = decodeCustomTypes([{ name: 'SHOE_SIZE', regex: '4\\d' }])
    expect(new Masking({ ...EVERYTHING, entities: ['SHOE_SIZE'], custom }).unserved).toEqual({
      needModel: [],
      unknown: [],
    })
  })
})
