import { createHash } from 'node:crypto'
import type { NewSession, RecordedEnd } from '../../../src/gateway/history/session.ts'
import type { GroupReview, Review } from '../../../src/gateway/reviews/review.ts'
import type { Chance } from './chance.ts'
import { PEOPLE, type PLACES, type Person } from './shop.ts'

interface PastRequest {
  readonly session: NewSession
  readonly place: (typeof PLACES)[number]
  readonly waitedMs: number
  readonly how: 'executed' | 'rejected' | 'withdrawn' | 'expired' | 'revoked'
}

const REASONS = {
  rejected: 'Please use the test shop first.',
  withdrawn: 'the request was withdrawn',
  expired: 'nobody has decided in time',
  revoked: 'The order was refunded by hand.',
}
const STATUSES = {
  executed: 'EXECUTED',
  rejected: 'REJECTED',
  withdrawn: 'REJECTED',
  expired: 'REJECTED',
  revoked: 'REVOKED',
} as const

/** A decided review of an older session, and the end of a session that never ran. */
export function pastReview(chance: Chance, request: PastRequest): { review: Review; end: RecordedEnd } {
  const { session, place, waitedMs, how } = request
  const { groups = [], all = false } = place.review ?? {}
  const createdAt = session.startedAt.getTime()
  const decidedAt = createdAt + waitedMs
  const minimum = all ? groups.length : 1
  const approver = (group: string) => memberOf(chance, group, session.user)
  const entry = (group: string, at: number): GroupReview => {
    const isAsked = at < (how === 'rejected' ? 1 : minimum)
    const waits = !isAsked || how === 'withdrawn' || how === 'expired'
    const id = chance.uuid()
    if (waits) return { id, group, status: 'PENDING', forced: false }
    const status = how === 'executed' ? 'APPROVED' : how === 'revoked' ? 'REVOKED' : 'REJECTED'
    return { id, group, status, reviewedBy: approver(group), reviewedAt: decidedAt, forced: false }
  }
  const entries = groups.map(entry)
  const { runbookFile: file, runbookTitle: title } = session.labels
  const by = how === 'withdrawn' ? session.user : entries.find(({ reviewedBy }) => reviewedBy)?.reviewedBy
  return {
    review: {
      ...{ id: chance.uuid(), sessionId: session.id, connection: place.name, owner: session.user },
      ...{ type: 'onetime', status: STATUSES[how], accessMs: 0, createdAt },
      expiresAt: how === 'expired' ? decidedAt : createdAt + 7 * 86_400_000,
      ...(file !== undefined && { runbook: { file, ...(title !== undefined && { title }) } }),
      ...(how === 'executed' && { approvedAt: decidedAt, claimedAt: decidedAt + 1000 }),
      ...{ groups: entries, minimum, forceGroups: [], selfApproval: false },
      ...(how !== 'executed' && { rejectionReason: REASONS[how] }),
      ...(how === 'withdrawn' && { withdrawnBy: session.user }),
      shown: {
        scriptDigest: { kind: 'sha256', hex: createHash('sha256').update(session.script).digest('hex') },
        ...{ clientArgs: [], envVars: [] },
      },
    },
    end: {
      ...{ exitCode: undefined, truncatedBytes: 0, endedAt: new Date(decidedAt) },
      cause: { code: how, ...(by !== undefined && { by }) },
    },
  }
}

function memberOf(chance: Chance, group: string, requester: string): string {
  const people = Object.entries(PEOPLE) as [Person, readonly string[]][]
  return chance.one(people.filter(([name, groups]) => groups.includes(group) && name !== requester))[0]
}
