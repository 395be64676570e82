import { describe, expect, it } from 'vitest'
import type { Review } from '../../../web/src/api/types.ts'
import { outcomesText, runsText, type Ends } from '../../../web/src/views/approvals/outcomes-text.ts'
import { effectText, ruleText } from '../../../web/src/views/approvals/rule-text.ts'

describe('a rule', () => {
  const one = [{ groups: ['dba', 'leads'], minimum: 1 }]
  const all = [{ groups: ['dba', 'leads'], minimum: 2 }]
  const two = [
    { groups: ['a', 'b', 'c'], minimum: 2 },
    { groups: ['sre'], minimum: 1 },
  ]

  it('says which groups approve, and how many of them', () => {
    expect([one, all, two].map(ruleText)).toEqual([
      '1 of dba, leads',
      'dba and leads',
      '2 of a, b, c; and sre',
    ])
  })

  it('says what an approval of this person does', () => {
    const review = {
      ...{ type: 'onetime', connection: 'pg', owner: 'tom', time_window: null },
      your_approval: { groups: ['dba'], missing: [] },
    } as unknown as Review
    const batch = { id: 'b', waves: [], connections: 12, parallel: 5, threshold: 1 }
    const effects = [
      review,
      { ...review, when_approved: true as const, batch },
      { ...review, type: 'jit' as const },
      { ...review, your_approval: { groups: ['dba'], missing: [{ groups: ['leads'], minimum: 1 }] } },
    ]
    expect(effects.map(effectText)).toEqual([
      'You decide for dba: tom can then run it on pg.',
      'You decide for dba: it then runs at once on 12 connections.',
      'You decide for dba: tom can then open terminals on pg.',
      'You decide for dba: then leads still decide.',
    ])
    const { your_approval: _, ...without } = review
    expect(effectText(without as Review)).toBeUndefined()
  })
})

it('a text of outcomes counts them, and its usual time is that of a success in the middle', () => {
  const end = (outcome: Ends[number]['outcome'], seconds: number) => ({ outcome, ran_ms: seconds * 1000 })
  const ends = [end('succeeded', 40), end('failed', 900), end('succeeded', 50), end('succeeded', 90)]
  expect(outcomesText(ends)).toBe('3 of 4 succeeded, usually 50 s')
  expect(outcomesText([end('failed', 1)])).toBe('0 of 1 succeeded')
})

it('a text of runs says how a request has run, and counts the runs of a batch', () => {
  const none = { succeeded: 0, failed: 0, stopped: 0, running: 0, not_begun: 0 }
  expect(runsText({ ...none, failed: 1 })).toBe('has run, failed')
  expect(runsText({ ...none, running: 1 })).toBe('running')
  expect(runsText({ ...none, succeeded: 3, stopped: 1, not_begun: 2 })).toBe(
    'has run: 3 succeeded, 1 stopped, 2 not begun',
  )
  expect(runsText({ ...none, succeeded: 1, running: 2 })).toBe('runs: 1 succeeded, 2 running')
})
