import { describe, expect, it } from 'vitest'
import { itemTable } from '../../../src/basics/text/table.ts'
import type { RecordedSession } from '../../../src/client/rest/sessions.ts'
import { took } from '../../../src/commands/client/report/words.ts'
import { sessionDetails, SESSION_COLUMNS } from '../../../src/commands/client/sessions/sessions.ts'

const session: RecordedSession = {
  ...{
    id: '5701046a-7b7a-4a78-abb0-a24c95e6fe54',
    user: 'ada.lovelace@example.test',
    connection: 'a-long-name',
  },
  ...{ verb: 'exec', status: 'done', exitCode: 3, startedAt: '2026-01-31T14:30:00Z' },
  ...{
    endedAt: '2026-01-31T14:31:05Z',
    outputBytes: 2048,
    runbook: undefined,
    review: undefined,
    state: undefined,
    isPort: false,
    raw: {},
  },
}
const running = { ...session, status: 'open', exitCode: undefined, endedAt: undefined }

describe('the table of sessions', () => {
  it('has everything where there is room', () => {
    const [heading, first, second] = itemTable(SESSION_COLUMNS, [session, running], 200).split('\n')
    expect(heading).toMatch(/^ID +STARTED +TOOK +USER +CONNECTION +RUNBOOK +STATUS +CODE +OUTPUT$/)
    expect(first).toMatch(
      /^5701046a .* 1m 5s +ada\.lovelace@example\.test +a-long-name +\(exec\) +done +3 +2\.0 KiB$/,
    )
    expect(second).toMatch(/ open +2\.0 KiB$/)
  })

  it('fits every width that a line of it can have, and keeps id, connection, status and code', () => {
    for (let width = 39; width <= 130; width++) {
      const lines = itemTable(SESSION_COLUMNS, [session, running], width).trimEnd().split('\n')
      for (const line of lines) expect(line.length, `${width}: ${line}`).toBeLessThanOrEqual(width)
      expect(lines[1]).toMatch(/^5701046a .*a-l.*done +3/)
    }
  })

  it('says of a session in review that it is, and of a time that is none nothing', () => {
    expect(itemTable(SESSION_COLUMNS, [{ ...running, review: 'PENDING', startedAt: 'x' }], 100)).toContain(
      'waits for approval',
    )
    expect([took('x', 'y'), took('2026-01-31T14:30:00Z', '2026-01-31T14:30:00.250Z')]).toEqual(['', '0.3s'])
  })

  it('says on how many connections a batch waits, and where its session runs', () => {
    const raw = { review: { batch: { waves: [['web-01'], ['web-02', 'web-03']] } } }
    const at = (review: string) => itemTable(SESSION_COLUMNS, [{ ...running, review, raw }], 200)
    expect(at('PENDING')).toContain(' 3 connections ')
    expect(at('APPROVED')).toContain(' 3 connections ')
    expect(at('EXECUTED')).toContain(' a-long-name ')
    expect(sessionDetails({ ...running, review: 'PENDING', raw })).toMatch(/^connection +3 connections$/m)
  })
})
