import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { RequestRefused } from '../../../../src/gateway/refusals/request-refused.ts'
import { readListOptions } from '../../../../src/gateway/rest/sessions/list-options.ts'

const failure = (query: Record<string, unknown>): string => {
  try {
    readListOptions(query)
  } catch (error) {
    expect(error).toBeInstanceOf(RequestRefused)
    expect((error as RequestRefused).status).toBe(422)
    return (error as RequestRefused).message
  }
  return 'accepted'
}
const invalid = (option: string, reason: string) =>
  `failed listing sessions, invalid "${option}" option: ${reason}`

test('the first twenty sessions are listed without any option', () => {
  expect(readListOptions({})).toStrictEqual({
    ...{ user: undefined, connection: undefined, connectionType: undefined },
    ...{ correlationId: undefined, sessionBatchId: undefined, from: undefined, to: undefined },
    ...{ runbook: undefined, outcomes: undefined, kind: undefined, parameter: undefined },
    ...{ reviewStatus: undefined, reviewGroups: undefined, issueKeys: undefined },
    ...{ endStates: undefined, schedule: undefined, words: undefined },
    ...{ sort: undefined, folding: undefined },
    ...{ limit: 20, offset: 0, count: undefined },
  })
})

it.each([
  ['limit=1', { limit: 1 }],
  ['limit=100', { limit: 100 }],
  ['limit=5000', { limit: 100 }],
  ['limit=%2B7', { limit: 7 }],
  ['limit=007', { limit: 7 }],
  ['offset=10000', { offset: 10_000 }],
  ['offset=-0', { offset: 0 }],
  ['user=ann&connection=pg&type=database', { user: 'ann', connection: 'pg', connectionType: 'database' }],
  ['user=', { user: '' }],
  ['count=', { count: undefined }],
  ['count=none', { count: 'none' }],
  ['correlation_id=c+1&batch_id=b', { correlationId: 'c 1', sessionBatchId: 'b' }],
  ['review.status=PENDING', { reviewStatus: 'PENDING' }],
  ['review.approver=bea', { reviewGroups: ['groups of bea'] }],
  ['correlation_id=', { correlationId: undefined }],
  ['jira_issue_key=%20OPS-1,,ops-2', { issueKeys: ['OPS-1', 'ops-2'] }],
  ['jira_issue_key=,', { issueKeys: undefined }],
  ['start_date=2026-03-01T10:00:00Z', { from: new Date('2026-03-01T10:00:00Z') }],
  ['start_date=2024-02-29T23:59:59.123456Z', { from: new Date('2024-02-29T23:59:59.123Z') }],
  ['end_date=2026-03-01T10:00:00%2B02:00', { to: new Date('2026-03-01T08:00:00Z') }],
  ['text=%20Refund%20%2010293', { words: ['Refund', '10293'] }],
  ['text=%20', { words: undefined }],
  ['status=failed,withdrawn,refused', { outcomes: ['failed'], endStates: ['refused', 'withdrawn'] }],
  ['status=expired', { outcomes: undefined, endStates: ['expired'] }],
  ['sort=took', { sort: { by: 'took', isDescending: true } }],
  ['sort=user', { sort: { by: 'user', isDescending: false } }],
  ['order=asc', { sort: { by: 'started', isDescending: false } }],
  ['group=batches', { folding: { batches: true, dayOf: undefined } }],
  ['something=else&limit=3', { limit: 3 }],
])('%s is understood', (text, expected) => {
  const groupsOf = (name: string) => [`groups of ${name}`]
  expect(readListOptions(Object.fromEntries(new URLSearchParams(text)), groupsOf)).toMatchObject(expected)
})

describe('an option refused as hoop does', () => {
  it.each([
    ['limit', 'abc', '"abc" is not a number'],
    ['limit', '', '"" is not a number'],
    ['limit', '1.5', '"1.5" is not a number'],
    ['limit', '1e2', '"1e2" is not a number'],
    ['limit', ' 5', '" 5" is not a number'],
    ['limit', '99999999999999999999', '"99999999999999999999" is not a number'],
    ['limit', '0', 'must be at least 1, got 0'],
    ['limit', '-3', 'must be at least 1, got -3'],
    ['offset', 'x', '"x" is not a number'],
    ['offset', '-1', 'must not be negative, got -1'],
    [
      'offset',
      '10001',
      'must not be greater than 10000, got 10001; narrow the result set with a filter instead of paginating deeper',
    ],
    ...['', 'yesterday', '2026-03-01', '2026-03-01 10:00:00Z', '2026-03-01T10:00:00', '2026-02-30T10:00:00Z']
      .concat('2026-13-01T10:00:00Z', '2026-03-01T24:00:00Z', '2026-03-01T10:60:00Z', '2026-03-00T10:00:00Z')
      .concat('2026-03-01T10:00:00 02:00', '2026-03-01t10:00:00z', '2026-03-01T10:00:00+99:00')
      .flatMap((date) => ['start_date', 'end_date'].map((option) => [option, date, 'date'])),
  ])('%s=%s', (option, value, reason) => {
    const text = reason === 'date' ? 'start_date or end_date in wrong format' : reason
    expect(failure({ [option]: value })).toBe(invalid(option, text))
  })

  it.each([
    ['sort', 'state', 'invalid sort "state", expected one of [started took runbook connection user]'],
    ['order', 'up', 'invalid order "up", expected one of [asc desc]'],
    ['group', 'users', 'invalid group "users", expected one of [batches schedules]'],
    ['text', 'a b c d e f g h i', 'must not have more than 8 words'],
  ])('%s=%s, an option that hoop does not have', (option, value, reason) => {
    expect(failure({ [option]: value })).toBe(invalid(option, reason))
  })

  it('also when it is given twice: the first counts', () => {
    expect(failure({ limit: ['x', '5'] })).toBe(invalid('limit', '"x" is not a number'))
    expect(readListOptions({ limit: ['5', 'x'] }).limit).toBe(5)
  })
})

test('whatever is asked for, what goes to the history is within bounds or refused with a text', () => {
  const value = fc.oneof(fc.string(), fc.integer().map(String), fc.date({ noInvalidDate: true }).map(String))
  const names = ['user', 'connection', 'type', 'start_date', 'end_date', 'limit', 'offset', 'batch_id']
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...names), fc.oneof(value, fc.array(value))), (query) => {
      try {
        const { limit, offset, from, to } = readListOptions(query)
        expect(Number.isInteger(limit) && limit >= 1 && limit <= 100).toBe(true)
        expect(Number.isInteger(offset) && offset >= 0 && offset <= 10_000).toBe(true)
        for (const date of [from, to]) expect(date?.getTime()).not.toBeNaN()
      } catch (error) {
        if (!(error instanceof RequestRefused)) throw error
        expect(error.message).toMatch(/^failed listing sessions, invalid "/)
      }
    }),
  )
})
