import { expect, it } from 'vitest'
import { parseStopAfter, parseWaves } from '../../../src/gateway/batches/prepare-batch.ts'

it.each([
  ['1,10,rest', 200, [1, 10, 189]],
  ['1,10', 200, [1, 10, 189]],
  ['rest', 200, [200]],
  ['10%,50%,rest', 200, [20, 100, 80]],
  ['1%, rest', 3, [1, 2]],
  ['1,10,rest', 5, [1, 4]],
  ['1,rest', 1, [1]],
  ['100%', 7, [7]],
])('the waves %s of %i connections have %j', (text, total, sizes) => {
  expect(parseWaves(text, total)).toEqual(sizes)
})

it.each(['', '0', '-1', 'rest,1', '1,,2', '101%', 'x', '1.5'])('no waves are cut by "%s"', (text) => {
  expect(parseWaves(text, 10)).toBeUndefined()
})

it.each([
  ['3', 200, 3],
  ['10%', 200, 20],
  ['1%', 10, 1],
  ['100%', 7, 7],
])('%s of %i connections stop behind %i failures', (text, total, failures) => {
  expect(parseStopAfter(text, total)).toBe(failures)
})
