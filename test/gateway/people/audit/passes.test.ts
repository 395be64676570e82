import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { History } from '../../../../src/gateway/history/history.ts'
import { openHistory } from '../../../../src/gateway/rooms.ts'
import { AuditLog } from '../../../../src/gateway/people/audit/audit-log.ts'
import { auditFacts } from '../../../../src/contract/audit-entry.ts'
import { Workplace } from '../../../support/sites/workplace.ts'

// What the audit log does by itself, each minute.

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS
const NEWEST = 'newest entry of the audit log'
const REMOVED = 'old entries removed from the audit log'

let place: Workplace
let history: History
let log: AuditLog
let told: { message: string; fields: Record<string, unknown> }[]
beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['Date', 'performance', 'setInterval', 'clearInterval'],
    now: Date.parse('2026-11-28T10:00:00Z'),
  })
  place = new Workplace()
  history = openHistory(place.at('history.sqlite'))
  vi.spyOn(history.clock, 'trusted', 'get').mockImplementation(() => Date.now())
  told = []
  const none = () => undefined
  const info = (fields: object, message: string) =>
    void told.push({ message, fields: fields as Record<string, unknown> })
  log = new AuditLog(history, () => DAY_MS, { debug: none, info, warn: none, error: none })
})
afterEach(() => {
  log.close()
  history.close()
  vi.restoreAllMocks()
  vi.useRealTimers()
  place[Symbol.dispose]()
})

const viewed = (actor: string) => auditFacts({ actor, action: 'view', resource_type: 'sessions' })
const tellings = (message: string) => told.filter((line) => line.message === message)
const actions = () =>
  history
    .read(({ audit }) => audit.after(0, 100))
    .map(
      ({ text }) =>
        JSON.parse(text) as { actor: string; client_ip: string; request_payload_redacted: unknown },
    )

describe('the audit log', () => {
  it('logs its newest hash at start, daily and at stop', () => {
    log.note(viewed('ann'))
    expect(tellings(NEWEST)).toMatchObject([{ fields: { sequence: 0 } }])
    vi.advanceTimersByTime(DAY_MS - 1)
    expect(tellings(NEWEST)).toHaveLength(1)
    vi.advanceTimersByTime(MINUTE_MS)
    expect(tellings(NEWEST).slice(1)).toMatchObject([{ fields: { sequence: log.head.sequence } }])
    log.note(viewed('bob'))
    log.close()
    expect(tellings(NEWEST).slice(2)).toMatchObject([{ fields: { sequence: log.head.sequence } }])
  })

  it('removes what is too old within a minute, and says nothing where nothing is', () => {
    log.note(viewed('ann'))
    vi.advanceTimersByTime(DAY_MS / 2)
    log.note(viewed('bob'))
    vi.advanceTimersByTime(DAY_MS / 2 - 1)
    expect([actions().map(({ actor }) => actor), tellings(REMOVED)]).toEqual([['ann', 'bob'], []])
    vi.advanceTimersByTime(2 * MINUTE_MS)
    expect(actions().map(({ actor }) => actor)).toEqual(['bob'])
    expect(tellings(REMOVED)).toMatchObject([{ fields: { entries: 1 } }])
  })

  it('has ten minutes later how many failed sign-ins of an address it has left out', () => {
    for (let count = 0; count < 4; count++) log.failedSignIn('192.0.2.1')
    const attempts = () => actions().map(({ request_payload_redacted: payload }) => payload)
    vi.advanceTimersByTime(9 * MINUTE_MS)
    expect(attempts()).toEqual([{ attempts: 1 }])
    vi.advanceTimersByTime(MINUTE_MS)
    expect(attempts()).toEqual([{ attempts: 1 }, { attempts: 3 }])
  })

  it('counts failed sign-ins of an IPv6 network together: a caller has all of its addresses', () => {
    for (const address of ['2001:db8::1', '2001:db8::2', '2001:db8:0:0:ffff::3', '2001:db8:0:1::1'])
      log.failedSignIn(address)
    vi.advanceTimersByTime(10 * MINUTE_MS)
    const told = actions().map(({ client_ip: address, request_payload_redacted: payload }) => [
      address,
      payload,
    ])
    expect(told).toEqual([
      ['2001:db8::1', { attempts: 1 }],
      ['2001:db8:0:1::1', { attempts: 1 }],
      ['2001:db8::', { attempts: 2 }],
    ])
  })

  it('does nothing more once it is closed', () => {
    log.close()
    expect(vi.getTimerCount()).toBe(0)
  })
})
