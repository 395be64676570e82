import { createHash } from 'node:crypto'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { Handovers } from '../../../../src/gateway/people/sign-in/one-time-codes.ts'
import { Seal } from '../../../../src/gateway/people/sign-in/sign-in.ts'

const Shape = v.object({ of: v.string() })

describe('the seal of sign-ins', () => {
  it('opens until it is used, and then no more', () => {
    const seal = new Seal(60_000)
    const text = seal.close({ of: 'ann' })
    const [first, second] = [seal.open(text, Shape), seal.open(text, Shape)]
    expect(first?.content).toEqual({ of: 'ann' })
    expect([first?.use(), second?.use()]).toEqual([true, false])
    expect(seal.open(text, Shape)).toBeUndefined()
  })

  it('keeps nothing of those that are only opened, and forgets the oldest of those that are used', () => {
    const seal = new Seal(60_000)
    const own = seal.close({ of: 'ann' })
    for (let i = 0; i < 10_001; i++) seal.open(seal.close({ of: 'stranger' }), Shape)
    expect(seal.open(own, Shape)?.use()).toBe(true)
    for (let i = 0; i < 9999; i++) seal.open(seal.close({ of: 'bob' }), Shape)?.use()
    expect(seal.open(own, Shape)).toBeUndefined()
    expect(seal.open(seal.close({ of: 'eve' }), Shape)?.use()).toBe(true)
  })
})

it('ten handovers to one account may wait: the eleventh ends its first, and nobody else is ended', () => {
  const handovers = new Handovers<string>()
  const challenge = createHash('sha256').update('verifier').digest('base64url')
  const other = handovers.add('bob', 'account of bob', challenge)
  const codes = Array.from({ length: 1500 }, () => handovers.add('ann', 'account of ann', challenge))
  expect(handovers.take(other, 'verifier')).toBe('bob')
  const taken = codes.slice(-10).map((code) => handovers.take(code, 'verifier'))
  expect(new Set(taken)).toEqual(new Set(['ann']))
  expect(() => handovers.take(codes.at(-11) ?? '', 'verifier')).toThrow(/the sign-in has ended/)
})
