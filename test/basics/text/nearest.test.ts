import { expect, test } from 'vitest'
import { nearest } from '../../../src/basics/text/nearest.ts'

const KNOWN = ['listen', 'state', 'users', 'agents', 'repositories', 'connections', 'limits', 'history']

test.each([
  ['conections', 'connections'],
  ['Agents', 'agents'],
  ['agent', 'agents'],
  ['repository', 'repositories'],
  ['lisetn', 'listen'],
  ['limit', 'limits'],
])('%s probably means %s', (word, meant) => {
  expect(nearest(word, KNOWN)).toBe(meant)
})

test.each(['banana', '', 'x', 'password', 'y'.repeat(1000)])('%j means none of them', (word) => {
  expect(nearest(word, KNOWN)).toBeUndefined()
  expect(nearest(word, [])).toBeUndefined()
})
