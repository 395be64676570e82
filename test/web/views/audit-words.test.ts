import { describe, expect, it } from 'vitest'
import {
  actorText,
  brokenAt,
  didText,
  failureText,
  lookOf,
  objectText,
  progressText,
  type Told,
} from '../../../web/src/views/audit/words.ts'

const ENTRY: Told = {
  ...{ action: 'decide', resource_type: 'reviews', resource_id: 'r-1', actor: 'ann', client_ip: '10.0.0.1' },
  ...{ request_payload_redacted: { status: 'APPROVED' }, outcome: true, error_message: '', http_status: 200 },
  ...{ stage: 'done', did: 'approved a request', object_name: 'Refund an order on pg-shop' },
}

describe('a row of the audit log', () => {
  it('has the words of the gateway, and words of its own beside an older gateway', () => {
    expect(didText(ENTRY)).toBe('approved a request')
    const { did: _, ...older } = ENTRY
    expect(didText(older)).toBe('decided requests')
  })

  it('names the object, or has its id, or the agent that a caller claims to be', () => {
    expect(objectText(ENTRY)).toBe('Refund an order on pg-shop')
    expect(objectText({ ...ENTRY, object_name: '' })).toBe('r-1')
    expect(objectText({ ...ENTRY, claimed_agent: 'edge' })).toBe('claims to be agent edge')
  })

  it('tells the gateway itself from a user whom nobody knows', () => {
    expect(actorText(ENTRY)).toBe('ann')
    expect(actorText({ ...ENTRY, actor: '' })).toBe('unknown user')
    expect(actorText({ ...ENTRY, actor: '', client_ip: '' })).toBe('gateway')
  })

  it('says why something failed, and nothing after a success', () => {
    expect(failureText(ENTRY)).toBe('')
    const failed = { ...ENTRY, outcome: false, error_message: 'access denied' }
    expect(failureText({ ...failed, http_status: 403 })).toBe('403 access denied')
    expect(failureText({ ...failed, http_status: 0 })).toBe('access denied')
  })

  it.each([
    ['an approval', {}, 'approve', 'is-good'],
    ['a rejection', { request_payload_redacted: { status: 'REJECTED' } }, 'ban', 'is-bad'],
    ['a failure', { outcome: false }, 'cross', 'is-bad'],
    ['a change without an end', { stage: 'asked' }, 'wait', 'is-wait'],
    [
      'a request for approval',
      { action: 'execute', request_payload_redacted: { waits_for_approval: true } },
      'wait',
      'is-wait',
    ],
    ['a run', { action: 'execute', request_payload_redacted: null }, 'run', 'soft'],
    ['a look', { action: 'view', request_payload_redacted: null }, 'eye', 'soft'],
  ] as const)('has for %s an icon of its own', (_, more, icon, tone) => {
    expect(lookOf({ ...ENTRY, ...more })).toEqual({ icon, tone })
  })
})

describe('the verdict of the chain', () => {
  it('says how far a check is, as soon as the gateway has told it', () => {
    expect(progressText(null)).toBe('checking the chain')
    expect(progressText({ sequence: 500, until: 900 })).toBe('checking entry 500 of 900')
  })

  it('names the first entry that does not fit', () => {
    const fault = (sequence: number) => ({ sequence, fault: 'altered', says: '' }) as const
    expect(brokenAt([fault(7), fault(9)])).toBe('the chain is broken at entry 7')
  })
})
