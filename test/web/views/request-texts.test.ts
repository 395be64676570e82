import { describe, expect, it } from 'vitest'
import type { ListedSession, Review } from '../../../web/src/api/types.ts'
import { outcomesText } from '../../../web/src/views/approvals/outcomes-text.ts'
import { effectText, groupsText, ruleText } from '../../../web/src/views/approvals/rule-text.ts'

describe('a rule', () => {
  const one = [{ groups: ['dba', 'leads'], minimum: 1 }]
  const all = [{ groups: ['dba', 'leads'], minimum: 2 }]
  const two = [
    { groups: ['a', 'b', 'c'], minimum: 2 },
    { groups: ['sre'], minimum: 1 },
  ]

  it('is short in a row, and a sentence in the view', () => {
    expect([one, all, two].map(groupsText)).toEqual([
      'dba or leads',
      'dba and leads',
      '2 of a, b, c; and sre',
    ])
    expect([one, all, two].map(ruleText)).toEqual([
      '1 of dba, leads',
      '2 of dba, leads',
      '2 of a, b, c, and sre',
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
  const session = (name: string, seconds: number) =>
    ({
      ...{ state: { name }, began_at: '2026-12-01T10:00:00.000Z' },
      end_date: new Date(Date.parse('2026-12-01T10:00:00.000Z') + seconds * 1000).toISOString(),
    }) as unknown as ListedSession
  const sessions = [
    session('succeeded', 40),
    session('failed', 900),
    session('succeeded', 50),
    session('succeeded', 90),
  ]
  expect(outcomesText(sessions)).toBe('3 of 4 succeeded, usually 50 s')
  expect(outcomesText([session('failed', 1)])).toBe('0 of 1 succeeded')
})
