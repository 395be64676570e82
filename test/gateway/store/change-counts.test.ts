import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { History } from '../../../src/gateway/history/history.ts'
import { openHistory } from '../../../src/gateway/rooms.ts'
import { HistoryError } from '../../../src/gateway/store/errors.ts'

let folder: string
let history: History
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'history-'))
  history = openHistory(path.join(folder, 'history.db'), { flushAfterMs: 0 })
})
afterEach(() => {
  history.close()
  rmSync(folder, { recursive: true })
})

function begin(id: string): void {
  const request = { user: 'admin', connection: 'bash', connectionType: 'custom', startedAt: new Date() }
  const rest = { origin: 'client', verb: 'exec', labels: {}, metadata: {} } as const
  history.begin({ ...request, ...rest, id, script: Buffer.from('true') })
}

const RUN = {
  ...{ id: 'run', schedule: 'nightly', dueAt: 1, at: 1, by: null, outcome: 'starting' as const },
  ...{ code: null, reason: null, session: null, exitCode: null },
} as const

describe('the history', () => {
  it('counts the beginning and the end of a session, its metadata, and no output', () => {
    const { sessions: before = 0 } = history.changes
    begin('one')
    const { sessions: begun = 0 } = history.changes
    expect(begun).toBeGreaterThan(before)
    history.append('one', 'o', Buffer.alloc(300 * 1024, 'x'), 1)
    expect(history.changes.sessions).toBe(begun)
    history.setMetadata('one', { a: 'b' })
    expect(history.changes.sessions).toBe(begun + 1)
    history.finish('one', { exitCode: 0, truncatedBytes: 0, endedAt: new Date() })
    expect(history.changes).toEqual({ sessions: begun + 2, reviews: 0, batches: 0, schedules: 0 })
  })

  it('counts what was written, and not what was rolled back', () => {
    const claimed = (undo: boolean) =>
      history.write(({ schedules }) => {
        expect(schedules.claim(RUN)).toBe(true)
        if (undo) throw new HistoryError('not so')
      })
    expect(() => claimed(true)).toThrow('not so')
    expect(history.changes.schedules).toBe(0)
    claimed(false)
    expect(history.changes.schedules).toBeGreaterThan(0)
  })
})
