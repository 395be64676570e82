import { expect, it } from 'vitest'
import { Words } from '../../../src/policy/masking/find/words.ts'

it('words before the places of one long word are told without reading it anew for each', () => {
  const words = new Words()
  const text = `card ${'a'.repeat(1_000_000)}`
  words.next(text, 0)
  for (let at = 10; at < text.length; at += 10) words.before(at)
  expect(words.before(text.length)).toEqual(['card', ''])
})
