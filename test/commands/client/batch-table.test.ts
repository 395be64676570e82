import { expect, it } from 'vitest'
import { itemTable } from '../../../src/basics/text/table.ts'
import type { GatewayBatch } from '../../../src/client/rest/batches.ts'
import { batchDetails, BATCH_COLUMNS } from '../../../src/commands/client/batches/texts.ts'

const waiting: GatewayBatch = {
  ...{
    id: '5474d29f-6d0c-4a3b-9a52-0a6f4f6f1c11',
    status: 'waiting',
    owner: 'ann',
    file: 'ops/x.runbook.sh',
  },
  ...{ createdAt: '2026-01-31T14:30:00Z', endedAt: undefined, waves: [1], stop: undefined, warning: '' },
  counts: { total: 1, succeeded: 0, failed: 0, running: 0, not_begun: 1 },
  ...{ reviewSession: '79365fe6', reviewState: { name: 'waiting-for-approval', text: 'waits for approval' } },
  ...{ groups: [], raw: {} },
  runs: [
    {
      ...{ connection: 'web-01', wave: 1, status: 'not-begun', state: undefined, session: undefined },
      ...{ exitCode: undefined, message: '', startedAt: '', endedAt: undefined },
    },
  ],
}
const approved = { ...waiting, reviewState: { name: 'approved', text: 'approved, has not run yet' } }

it('a batch that waits says for what, and once it is approved how to run it', () => {
  expect(itemTable(BATCH_COLUMNS, [waiting], 200)).toContain('waits for approval')
  expect(itemTable(BATCH_COLUMNS, [approved], 200)).toContain('approved, has not run yet')
  expect(batchDetails(approved, 200)).toContain(`runbook-agent batches exec ${approved.id}\n`)
  expect(batchDetails(waiting, 200)).not.toContain('batches exec')
  expect(batchDetails({ ...waiting, reviewState: undefined }, 200)).toMatch(/status +waiting\n/)
  expect(batchDetails(waiting, 200)).toMatch(/web-01 +1 +not begun/)
})
