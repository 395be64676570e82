import fc from 'fast-check'
import { RE2JS } from 're2js'
import { describe, expect, it } from 'vitest'
import { brokenRule } from '../../../src/template/rules.ts'
import type { Parameter } from '../../../web/src/form/parameters.ts'
import { problemOf } from '../../../web/src/form/rules.ts'

const matches = (pattern: string, value: string) => RE2JS.compile(pattern).matcher(value).find()

const parameter = fc.record({
  name: fc.constant('value'),
  type: fc.constantFrom(
    'text',
    'number',
    'date',
    'time',
    'url',
    'email',
    'select',
    'tel',
    'textarea',
    'password',
  ),
  required: fc.boolean(),
  description: fc.constant(''),
  placeholder: fc.constant(''),
  requiredText: fc.constant(undefined),
  default: fc.constant(undefined),
  pattern: fc.constant(undefined),
  options: fc.array(fc.string(), { maxLength: 25 }),
  minLength: fc.option(fc.nat(6), { nil: undefined }),
  maxLength: fc.option(fc.nat(6), { nil: undefined }),
})

const value = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom(
    '1',
    '-1.5e3',
    '2026-01-31',
    '2026-02-30',
    '14:30',
    '25:00',
    'https://example.com',
    'a@b',
    '🙂🙂',
  ),
  // Nearly of the form: a good value with any character in it.
  fc
    .record({
      good: fc.constantFrom('https://example.com/a?b=c', 'ada.b+c@example.com', '2026-01-31', '14:30', '1.5'),
      at: fc.nat(26),
      more: fc.oneof(
        fc.string({ unit: 'binary', maxLength: 2 }),
        fc.constantFrom('\n', '\t', ' ', '$(', '`', "'", '-', '..'),
      ),
    })
    .map(({ good, at, more }) => good.slice(0, at) + more + good.slice(at)),
)

const declared: Parameter = {
  ...{ name: 'value', type: 'text', required: true, description: '', placeholder: '' },
  ...{
    default: undefined,
    requiredText: undefined,
    pattern: '^[a-z]+$',
    options: [],
    minLength: undefined,
    maxLength: undefined,
  },
}

describe('the check of a form', () => {
  it('says of every value what the gateway says', () => {
    fc.assert(
      fc.property(parameter, value, (declared, text) => {
        fc.pre(text !== '')
        expect(problemOf(declared, text, matches)).toBe(brokenRule(declared, text))
      }),
      { numRuns: 500 },
    )
  })

  it('takes no URL or address with a blank, a control character or, in the address, one that shells obey', () => {
    const nearly = fc
      .constantFrom('url', 'email')
      .chain((type) => fc.record({ type: fc.constant(type), text: value }))
    fc.assert(
      fc.property(nearly, ({ type, text }) => {
        if (text === '' || brokenRule({ type }, text) !== undefined) return
        expect(text).not.toMatch(/[\s\p{Cc}"<>\\`{|}^]/u)
        if (type === 'email') expect(text).not.toMatch(/[$&;|()*?!#'~%/[\]]|^-/)
      }),
      { numRuns: 500 },
    )
  })

  it('asks for what is required and has no default', () => {
    expect(problemOf(declared, '', matches)).toBe('may not be empty')
    const asked = { ...declared, requiredText: 'Which one?' }
    expect(problemOf(asked, '', matches)).toBe('Which one?')
    expect(problemOf({ ...declared, default: 'x' }, '', matches)).toBeUndefined()
    expect(problemOf({ ...declared, required: false }, '', matches)).toBeUndefined()
  })

  it('names the pattern, and waits for the engine that knows it', () => {
    expect(problemOf(declared, 'A1', matches)).toBe('has to match ^[a-z]+$')
    expect(problemOf({ ...declared, placeholder: 'books' }, 'A1', matches)).toBe(
      'has to be like books, and to match ^[a-z]+$',
    )
    expect(problemOf(declared, 'abc', matches)).toBeUndefined()
    expect(problemOf(declared, 'A1', () => undefined)).toBeUndefined()
  })
})
