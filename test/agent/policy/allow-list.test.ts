import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AllowList } from '../../../src/agent/policy/owner-policy.ts'

it.each([
  ['prod', 'prod', true],
  ['prod', 'prod-1', false],
  ['prod', 'Prod', false],
  ['prod-*', 'prod-', true],
  ['*-db', 'a-db', true],
  ['a*b*c', 'a-b-c', true],
  ['a*b*c', 'acb', false],
  ['ab*ba', 'aba', false],
  ['a*aa', 'aa', false],
  ['*', '', true],
  ['a.c', 'abc', false],
])('%s with %s is %s', (pattern, name, has) => {
  expect(new AllowList([pattern]).has(name)).toBe(has)
})

describe('an allow list', () => {
  it('finds what the same regular expression finds', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 })
    const name = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 12 })
    fc.assert(
      fc.property(text, name, (pattern, each) => {
        const expected = new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(each)
        expect(new AllowList(['x', pattern]).has(each)).toBe(expected)
      }),
    )
  })
})
