import { describe, expect, it, test } from 'vitest'
import { didYouMean } from '../../../src/basics/text/nearest.ts'

const KNOWN = ['listen', 'state', 'users', 'agents', 'repositories', 'connections', 'limits', 'history']

test.each([
  ['conections', 'connections'],
  ['Agents', 'agents'],
  ['agent', 'agents'],
  ['repository', 'repositories'],
  ['lisetn', 'listen'],
  ['limit', 'limits'],
])('%s probably means %s', (word, meant) => {
  expect(didYouMean(word, KNOWN)).toBe(`did you mean ${meant}?`)
})

test.each(['banana', '', 'x', 'password', 'y'.repeat(1000)])('%j means none of them', (word) => {
  expect([didYouMean(word, KNOWN), didYouMean(word, [])]).toEqual([undefined, undefined])
})

describe('the question', () => {
  it('names up to three that are equally near, each once', () => {
    expect(didYouMean('pg-prd', ['pg-prod', 'pg-prd1', 'mysql', 'pg-prod'])).toBe(
      'did you mean pg-prod or pg-prd1?',
    )
    expect(didYouMean('pg0', ['pg1', 'pg2', 'pg3', 'pg4'])).toBe('did you mean pg1, pg2 or pg3?')
  })

  it('names what contains the word where none is spelled like it', () => {
    expect(didYouMean('Report', ['sql/monthly/report.runbook.sql', 'ops/x.sh'])).toBe(
      'did you mean sql/monthly/report.runbook.sql?',
    )
    expect(didYouMean('re', ['sql/monthly/report.runbook.sql'])).toBeUndefined()
  })
})
