import { describe, expect, it } from 'vitest'
import { itemTable } from '../../../src/basics/text/table.ts'
import {
  REVIEW_COLUMNS,
  reviewDetails,
  type ShownReview,
} from '../../../src/commands/client/reviews/texts.ts'

const DAY_MS = 86_400_000

describe('the table of reviews', () => {
  it('says who asks for which runbook on what, and how long it still waits', () => {
    const review = {
      ...{ id: '5474d29f-6d0c', type: 'onetime', access_duration: 0, status: 'PENDING', session: '79365fe6' },
      ...{ owner: 'ann', connection: 'pg-shop', min_approvals: 1, about: undefined, batch: undefined },
      ...{
        created_at: '2026-01-31T14:30:00Z',
        expires_at: new Date(Date.now() + 2.5 * DAY_MS).toISOString(),
      },
      runbook: { file: 'support/refund.runbook.sh', title: 'Refund an order', raw: {} },
      review_groups_data: [{ group: 'dba', status: 'PENDING' }],
    } as unknown as ShownReview
    const ended = { ...review, status: 'EXECUTED', runbook: undefined }
    const [head = '', waits = '', ran = ''] = itemTable(REVIEW_COLUMNS, [review, ended], 200).split('\n')
    expect(head).toContain('WAITS')
    expect(waits).toMatch(/ann +pg-shop +Refund an order +dba .* 2d 1[12]h$/)
    expect(ran).toMatch(/ann +pg-shop +a script +dba /)
    expect(ran).not.toMatch(/2d 1/)
  })

  it('tells requests of one runbook apart by their values, and scripts by their first line', () => {
    const asked = (more: object) =>
      ({
        ...{
          id: '5474d29f-6d0c',
          type: 'onetime',
          access_duration: 0,
          status: 'PENDING',
          session: '79365fe6',
        },
        ...{ owner: 'ann', connection: 'pg-shop', min_approvals: 1, about: undefined, batch: undefined },
        ...{ created_at: '', expires_at: '', review_groups_data: [], ...more },
      }) as unknown as ShownReview
    const values = [{ name: 'order', value: '4711' }]
    const runbook = { file: 'support/refund.runbook.sh', title: 'Refund an order', raw: {} }
    const rows = [
      asked({ runbook, summary: { values, more_values: 2 } }),
      asked({ summary: { values: [], first_line: 'SELECT 1', lines: 3 } }),
    ]
    const [, first = '', second = ''] = itemTable(REVIEW_COLUMNS, rows, 200).split('\n')
    expect(first).toContain('Refund an order: order=4711 and 2 more')
    expect(second).toContain('a script: SELECT 1')
  })
})

describe('the details of a review', () => {
  const review = {
    ...{ id: '5474d29f-6d0c', type: 'onetime', access_duration: 0, status: 'PENDING', session: '79365fe6' },
    ...{ owner: 'ann', connection: 'pg-shop', min_approvals: 1, batch: undefined, rejection_reason: '' },
    ...{ created_at: '', expires_at: '', withdrawn_by: '', access_request_rule_name: '', client_args: [] },
    ...{ env_vars: [], runbook: { file: 'refund.sh', title: 'Refund', raw: {} }, review_groups_data: [] },
  }
  const details = (more: object) =>
    reviewDetails({ ...review, ...more } as unknown as ShownReview, undefined).replaceAll(/ +/g, ' ')

  it('say what the history knows, who else can decide, and what an approval would do', () => {
    const previous = { session: 'c0ffee00-6d0c', owner: 'bob', ran_at: '' }
    const facts = { is_first_by_requester: true, new_connections: 1, previous, is_runbook_changed: true }
    const shown = details({
      facts,
      approvers: [
        { group: 'dba', names: ['bea', 'max'], others: 2 },
        { group: 'boss', names: ['eve'], others: 0, can_force: true },
      ],
      your_approval: { groups: ['dba'], missing: [{ groups: ['leads', 'sre'], minimum: 1 }] },
    })
    expect(shown).toContain(
      'first run by ann, first run on this connection, runbook changed since the approved run by bob (session c0ffee00)',
    )
    expect(shown).toContain('dba: bea, max and 2 more; boss: eve by force')
    expect(shown).toContain('counts for dba, then still needs 1 of leads, sre')
    expect(details({ facts: { previous, is_runbook_changed: false } })).toContain(
      'runbook as in the approved',
    )
    const last = { groups: ['dba'], missing: [] }
    expect(details({ your_approval: last })).toContain('counts for dba, and is the last one needed')
  })

  it('say how the last other runs of the runbook and of the requester have ended', () => {
    const end = (outcome: string, seconds: number, session = '') => ({
      ...{ outcome, ran_ms: seconds * 1000, session },
    })
    const runbook = [end('failed', 9, 'c0ffee00-6d0c'), end('succeeded', 40), end('succeeded', 50)]
    const shown = details({ outcomes: { runbook, requester: [end('succeeded', 0.2)] } })
    expect(shown).toContain(
      'runbook before 2 of 3 runs succeeded, usually 40s, the last one failed (session c0ffee00)',
    )
    expect(shown).toContain('ann before 1 of 1 run succeeded, usually less than 1s, the last one succeeded')
    expect(details({ outcomes: { runbook: undefined, requester: [] } })).not.toContain('before')
  })

  it('say how a request has run', () => {
    const runs = { succeeded: 3, failed: 1, stopped: 0, running: 0, not_begun: 2 }
    expect(details({ status: 'EXECUTED', runs })).toContain(
      'status executed (3 succeeded, 1 failed, 2 not begun)',
    )
    expect(details({ status: 'EXECUTED' })).toContain('status executed, approved')
  })

  it('leave out what the gateway does not send', () => {
    expect(details({})).not.toMatch(/known|who can|your approval| before/)
  })
})
