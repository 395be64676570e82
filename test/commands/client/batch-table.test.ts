import { expect, it } from 'vitest'
import { itemTable } from '../../../src/basics/text/table.ts'
import { batchDetails, BATCH_COLUMNS, type BatchRead } from '../../../src/commands/client/batches/texts.ts'

const state = (name: string, words: string) => ({
  name,
  text: words,
  by: '',
  lock: '',
  since: '',
  agent: '',
  until: '',
  raw: {},
})
const waiting: BatchRead = {
  id: '5474d29f-6d0c-4a3b-9a52-0a6f4f6f1c11',
  status: 'waiting',
  owner: 'ann',
  created_at: '2026-01-31T14:30:00Z',
  started_at: '',
  ended_at: '',
  repository: 'rb',
  file_name: 'ops/x.runbook.sh',
  runbook_title: '',
  commit: '',
  parameters: {},
  metadata: {},
  waves: [1],
  parallel: 1,
  threshold: 1,
  stop: undefined,
  review: {
    id: '',
    session_id: '79365fe6',
    state: state('waiting-for-approval', 'waits for approval'),
    when_approved: undefined,
    raw: {},
  },
  counts: { total: 1, succeeded: 0, failed: 0, stopped: 0, running: 0, not_begun: 1, raw: {} },
  warning: '',
  runs: [
    {
      connection: 'web-01',
      wave: 1,
      status: 'not-begun',
      state: undefined,
      session_id: '',
      exit_code: undefined,
      started_at: '',
      began_at: '',
      ended_at: '',
      code: '',
      message: '',
      retry_group: '',
      raw: {},
    },
  ],
  groups: [],
  not_recorded: undefined,
  retry_of: '',
  retried_by: '',
  raw: {},
}
const review = { id: '', session_id: '79365fe6', when_approved: undefined, raw: {} }
const approved = { ...waiting, review: { ...review, state: state('approved', 'approved, has not run yet') } }

it('a batch that waits says for what, and once it is approved how to run it', () => {
  expect(itemTable(BATCH_COLUMNS, [waiting], 200)).toContain('waits for approval')
  expect(itemTable(BATCH_COLUMNS, [approved], 200)).toContain('approved, has not run yet')
  expect(batchDetails(approved, 200)).toContain(`runbook-agent batches exec ${approved.id}\n`)
  expect(batchDetails(waiting, 200)).not.toContain('batches exec')
  expect(batchDetails({ ...waiting, review: { ...review, state: undefined } }, 200)).toMatch(
    /status +waiting\n/,
  )
  expect(batchDetails(waiting, 200)).toMatch(/web-01 +1 +not begun/)
})
