import { describe, expect, it } from 'vitest'
import { itemTable } from '../../../src/basics/text/table.ts'
import { REVIEW_COLUMNS, type ShownReview } from '../../../src/commands/client/reviews/texts.ts'

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
})
