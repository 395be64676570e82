import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { readerOf, UNREADABLE } from '../../../src/client/rest/reading.ts'

const read = readerOf(
  v.strictObject({ text: v.string(), count: v.number(), map: v.record(v.string(), v.string()) }),
)

describe('a reader of answers', () => {
  it('keeps a key __proto__ of an answer as data, and gives nothing that was read another prototype', () => {
    const sent = JSON.parse('{"__proto__":{"text":"x"},"map":{"__proto__":"y","constructor":"z"}}') as object
    const known = read(sent) as { readonly map: object }
    expect(known).toMatchObject({ text: '', count: 0, raw: sent })
    expect(Object.getPrototypeOf(known)).toBe(Object.prototype)
    expect(Object.getPrototypeOf(known.map)).toBe(Object.prototype)
    expect(Object.entries(known.map)).toEqual([
      ['__proto__', 'y'],
      ['constructor', 'z'],
    ])
  })

  it('makes a text that is null, or missing, an empty one', () => {
    const shape = v.strictObject({ one: v.optional(v.nullable(v.string())), two: v.nullable(v.string()) })
    const blank = { one: '', two: '' }
    expect(readerOf(shape)({ one: null, two: null })).toMatchObject(blank)
    expect(readerOf(shape)({})).toMatchObject(blank)
  })

  it.each([null, 'text', 1, true])('does not read %j as an object', (value) => {
    expect(read(value)).toBe(UNREADABLE)
  })
})
