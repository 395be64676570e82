import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decide,
  isApproved,
  possibleDecisions,
  standing,
  withdrawn,
  type Decision,
  type Reviewer,
} from '../../../src/gateway/reviews/decision.ts'
import type { Review } from '../../../src/gateway/reviews/review.ts'

// Whatever people say in whatever order: what must hold of what becomes of a review.

const GROUPS = ['dba', 'sre', 'boss', 'dev', 'admin'] as const
const OWNER = 'ann'
const moment = { now: 1_000_000, latest: 0, newId: () => 'new' }
const known = { identity: 'known', kind: 'person', onlyReads: false } as const

const groups = fc.uniqueArray(fc.constantFrom(...GROUPS), { maxLength: 3 })
const reviewers = fc.record({
  name: fc.constantFrom(OWNER, 'bea', 'cid', 'dan'),
  groups,
  isAdmin: fc.boolean(),
  identity: fc.constant('known'),
  kind: fc.constantFrom('person', 'machine'),
  onlyReads: fc.boolean(),
})
const decisions = fc.record(
  {
    verdict: fc.constantFrom('APPROVED', 'REJECTED', 'REVOKED'),
    force: fc.boolean(),
    timeWindow: fc.constant({ start: '01:00', end: '02:00' }),
    reason: fc.constantFrom('', 'why'),
  },
  { requiredKeys: ['verdict', 'force'] },
)
const reviews = fc
  .record({
    names: fc.uniqueArray(fc.constantFrom(...GROUPS), { minLength: 1, maxLength: 3 }),
    minimum: fc.integer({ min: 1, max: 3 }),
    forceGroups: groups,
    selfApproval: fc.boolean(),
    accessMs: fc.constantFrom(0, 60_000),
  })
  .map(({ names, minimum, accessMs, ...rest }) =>
    fresh({ ...rest, accessMs, minimum: Math.min(minimum, names.length) }, names),
  )

function fresh(more: Partial<Review>, names: readonly string[] = ['dba', 'sre']): Review {
  return {
    id: 'review',
    sessionId: 'session',
    connection: 'pg',
    owner: OWNER,
    type: 'onetime',
    status: 'PENDING',
    accessMs: 0,
    createdAt: 0,
    expiresAt: 1,
    groups: names.map((group) => ({ id: group, group, status: 'PENDING', forced: false })),
    minimum: 1,
    forceGroups: [],
    selfApproval: false,
    shown: { scriptDigest: { kind: 'sha256', hex: '' }, clientArgs: [], envVars: [] },
    ...more,
  }
}

interface Step {
  readonly by: Reviewer
  readonly decision: Decision
  readonly before: Review
  readonly outcome: ReturnType<typeof decide>
}

/** All steps, each on what the one before has left. */
function said(first: Review, turns: readonly (readonly [Reviewer, Decision])[]): Step[] {
  let review = first
  return turns.map(([by, decision]) => {
    const before = review
    const outcome = decide(before, decision, by, moment)
    if ('review' in outcome) review = outcome.review
    return { by, decision, before, outcome }
  })
}

function check(holds: (step: Step) => void): void {
  fc.assert(
    fc.property(reviews, fc.array(fc.tuple(reviewers, decisions), { maxLength: 8 }), (review, turns) => {
      for (const step of said(review, turns)) holds(step)
    }),
    { numRuns: 500 },
  )
}

function shares(some: readonly string[], others: readonly string[]): boolean {
  return some.some((one) => others.includes(one))
}

describe('a review under any decisions', () => {
  it('nobody but a reviewer or a member of a force group makes a review approved', () => {
    check(({ by, before, outcome }) => {
      if (!('review' in outcome) || before.status === 'APPROVED' || outcome.review.status !== 'APPROVED')
        return
      const eligible = [...before.groups.map(({ group }) => group), ...before.forceGroups]
      expect(shares(by.groups, eligible)).toBe(true)
    })
  })

  it('nobody approves his own, not even an admin or by force, unless the setting says so', () => {
    check(({ by, decision, before, outcome }) => {
      if (by.name === OWNER && decision.verdict === 'APPROVED' && !before.selfApproval)
        expect(outcome).toHaveProperty('refusal')
    })
  })

  it('approved means that at least as many groups as needed say so, or that somebody has forced it', () => {
    check(({ outcome }) => {
      if (!('review' in outcome)) return
      const { status, groups: entries, minimum } = outcome.review
      const approved = entries.filter((entry) => entry.status === 'APPROVED')
      if (status === 'APPROVED')
        expect(approved.length >= minimum || approved.some(({ forced }) => forced)).toBe(true)
      if (status === 'PENDING') expect(approved.length).toBeLessThan(minimum)
    })
  })

  it('just what is offered is accepted, and it is an end or an approval more', () => {
    check(({ by, decision, before, outcome }) => {
      const { timeWindow: _, ...plain } = decision
      const can = possibleDecisions(before, by, moment.latest)
      const offered = {
        APPROVED: plain.force ? can.force : can.approve,
        REJECTED: can.reject,
        REVOKED: can.revoke,
      }
      const accepted = decide(before, plain, by, moment)
      if ('review' in accepted) expect(offered[plain.verdict]).toBe(true)
      else if (!plain.force || plain.verdict === 'APPROVED') expect(offered[plain.verdict]).toBe(false)
      if (!('review' in outcome) || decision.verdict !== 'APPROVED') return
      const approvals = ({ groups: entries }: Review) => entries.filter(({ status }) => status === 'APPROVED')
      if (!decision.force) expect(approvals(outcome.review).length).toBeGreaterThan(approvals(before).length)
    })
  })

  it('a decision is made once: an approved review can only be revoked', () => {
    check(({ decision, before, outcome }) => {
      if (before.status === 'APPROVED' && decision.verdict !== 'REVOKED')
        expect(outcome).toHaveProperty('refusal')
    })
  })

  it('one rejection is enough, and nothing follows it', () => {
    check(({ decision, before, outcome }) => {
      if (before.status === 'REJECTED' || before.status === 'REVOKED')
        expect(outcome).toHaveProperty('refusal')
      if ('review' in outcome && decision.verdict !== 'APPROVED')
        expect(outcome.review.status).toBe(decision.verdict)
    })
  })

  it('who asks, what is shown and who has to approve stay as they were', () => {
    check(({ before, outcome }) => {
      if (!('review' in outcome)) return
      const changing = {
        groups: [],
        status: 'PENDING',
        revokeAt: 0,
        approvedAt: 0,
        timeWindow: undefined,
        rejectionReason: '',
      }
      const kept = (review: Review) => ({ ...review, ...changing })
      expect(kept(outcome.review)).toEqual(kept(before))
      for (const { group } of before.groups)
        expect(outcome.review.groups.filter((entry) => entry.group === group)).toHaveLength(1)
    })
  })

  it('a time window is set once, with an approval, and never changes', () => {
    check(({ decision, before, outcome }) => {
      if (!('review' in outcome)) return
      if (before.timeWindow !== undefined) expect(outcome.review.timeWindow).toEqual(before.timeWindow)
      else if (decision.verdict !== 'APPROVED') expect(outcome.review.timeWindow).toBeUndefined()
    })
  })

  it('nothing is said about what runs, has run, or was ended', () => {
    const states = fc.constantFrom('PROCESSING', 'EXECUTED', 'REJECTED', 'REVOKED')
    fc.assert(
      fc.property(reviews, states, reviewers, decisions, (review, status, by, decision) => {
        expect(decide({ ...review, status }, decision, by, moment)).toHaveProperty('refusal')
      }),
    )
  })
})

describe('a reviewer in two groups', () => {
  const dan = { name: 'dan', groups: ['dba', 'sre'], isAdmin: false, ...known }

  it('approves where one of them is enough', () => {
    const outcome = decide(fresh({}), { verdict: 'APPROVED', force: false }, dan, moment)
    expect(outcome).toMatchObject({ review: { status: 'APPROVED', revokeAt: moment.now } })
  })
})

it('an approval of a terminal takes no time window, which nobody would keep', () => {
  const asked = fresh({ type: 'jit', accessMs: 60_000 })
  const bea = { name: 'bea', groups: ['dba'], isAdmin: false, ...known }
  const timeWindow = { start: '01:00', end: '02:00' }
  const decision = { verdict: 'APPROVED', force: false } as const
  expect(decide(asked, { ...decision, timeWindow }, bea, moment)).toMatchObject({
    refusal: { code: 'invalid-request', message: expect.stringContaining('not for terminals') as string },
  })
  expect(decide(asked, decision, bea, moment)).toMatchObject({ review: { status: 'APPROVED' } })
})

it('an approval of a terminal is for the time that was asked for', () => {
  const review = fresh({ type: 'jit', accessMs: 60_000 })
  const bea = { name: 'bea', groups: ['dba'], isAdmin: false, ...known }
  const outcome = decide(review, { verdict: 'APPROVED', force: false }, bea, moment)
  expect(outcome).toMatchObject({ review: { revokeAt: moment.now + 60_000 } })
})

it('what ends by itself was rejected while it waited for people, and revoked when it was approved', () => {
  expect(withdrawn(fresh({}), 'late')).toMatchObject({ status: 'REJECTED', rejectionReason: 'late' })
  expect(withdrawn(fresh({ status: 'APPROVED' }), 'late')).toMatchObject({ status: 'REVOKED' })
})

describe('an approver who may not approve any more', () => {
  const bea = { name: 'bea', groups: ['dba'], isAdmin: false, ...known }
  const cid = { name: 'cid', groups: ['sre'], isAdmin: false, ...known }
  const eve = { name: 'eve', groups: ['boss'], isAdmin: false, ...known }
  const without = (name: string) => (entry: { reviewedBy?: string }) => entry.reviewedBy !== name
  const after = (review: Review, by: Reviewer, force = false): Review => {
    const outcome = decide(review, { verdict: 'APPROVED', force }, by, moment)
    if ('refusal' in outcome) throw new Error(outcome.refusal.message)
    return outcome.review
  }

  it('leaves the request undecided, and another member of the group may approve', () => {
    const approved = after(fresh({}), bea)
    expect([isApproved(approved, () => true), isApproved(approved, without('bea'))]).toEqual([true, false])
    const open = standing(approved, without('bea'))
    expect(open).toEqual(fresh({}))
    expect(after(open, { ...bea, name: 'dan' }).status).toBe('APPROVED')
  })

  it('changes nothing where the others are enough, and where nobody was lost', () => {
    const approved = after(fresh({}), { ...bea, groups: ['dba', 'sre'] })
    expect(standing(approved, () => true)).toBe(approved)
    const two = after(after(fresh({ minimum: 2 }), bea), cid)
    expect(standing(two, without('cid'))).toMatchObject({
      status: 'PENDING',
      groups: [{ reviewedBy: 'bea' }, {}],
    })
    const forced = after(after(fresh({ minimum: 2, forceGroups: ['boss'] }), bea), eve, true)
    expect(standing(forced, without('bea'))).toMatchObject({ status: 'APPROVED' })
  })

  it('of a force group asks this group for no approval afterwards', () => {
    const forced = after(fresh({ forceGroups: ['boss'] }), eve, true)
    expect(forced.groups).toHaveLength(3)
    expect(standing(forced, without('eve'))).toEqual(fresh({ forceGroups: ['boss'] }))
  })
})
