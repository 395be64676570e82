import * as v from 'valibot'
import { expect, it, vi } from 'vitest'
import { later } from '../../../src/contract/later.ts'

it('makes the object when something of it is first used, and once', () => {
  const make = vi.fn(() => ({ one: 1, two: { three: 3 } }))
  const object = later(make)
  expect(make).not.toHaveBeenCalled()
  expect(object.one).toBe(1)
  expect('two' in object).toBe(true)
  expect({ ...object }).toEqual({ one: 1, two: { three: 3 } })
  expect(Object.entries(object)).toEqual([
    ['one', 1],
    ['two', { three: 3 }],
  ])
  expect(object.two).toBe(object.two)
  expect(make).toHaveBeenCalledTimes(1)
})

it('stands for a shape, also inside another one', () => {
  const inner = later(() => v.strictObject({ name: v.string() }))
  const outer = later(() => v.pipe(v.array(inner), v.description('names')))
  expect(v.parse(outer, [{ name: 'a' }])).toEqual([{ name: 'a' }])
  expect(v.is(outer, [{ name: 1 }])).toBe(false)
  expect([outer.type, outer.item.type, v.getDescription(outer)]).toEqual(['array', 'strict_object', 'names'])
})
