import Database from 'libsql'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import type { History } from '../../../src/gateway/history/history.ts'
import { Patience } from '../../../src/gateway/history/patience.ts'
import { openHistory } from '../../../src/gateway/rooms.ts'
import { historyError, HistoryError } from '../../../src/gateway/store/errors.ts'
import { Workplace } from '../../support/sites/workplace.ts'
import { waitFor } from '../../support/wait.ts'

describe('a write to a file that another program has locked', () => {
  let place: Workplace
  let history: History
  let other: InstanceType<typeof Database>
  beforeEach(() => {
    place = new Workplace()
    history = openHistory(place.at('history.sqlite'))
    other = new Database(place.at('history.sqlite'))
    other.exec('BEGIN IMMEDIATE')
  })
  afterEach(() => {
    history.close()
    other.close()
    place[Symbol.dispose]()
  })

  const begin = (id: string) =>
    history.begin({
      ...{ id, origin: 'client-api', verb: 'exec', connection: 'bash', connectionType: 'command-line' },
      ...{ user: 'ann', script: Buffer.alloc(0), labels: {}, metadata: {}, startedAt: new Date() },
    })

  it('waits for the lock while everything else goes on, and takes place in its order', async () => {
    const done: string[] = []
    const attempts = vi.fn(begin)
    const writes = ['s1', 's2', 's3'].map(async (id) => {
      await history.patiently(() => attempts(id))
      done.push(id)
    })
    // The gateway serves on: these turns of the event loop pass while the file is locked.
    let turns = 0
    await waitFor(() => ++turns > 20)
    expect(done).toEqual([])
    // Only the first write has blocked the gateway by an attempt.
    expect(attempts).toHaveBeenCalledTimes(1)
    other.exec('ROLLBACK')
    await Promise.all(writes)
    expect(done).toEqual(['s1', 's2', 's3'])
    expect(history.list({ limit: 9, offset: 0 }).sessions.map(({ id }) => id)).toEqual(['s3', 's2', 's1'])
  })

  it('keeps the place of those that wait when the lock is taken again', async () => {
    const done: string[] = []
    const attempt = (id: string) => {
      begin(id)
      done.push(id)
    }
    const first = history.patiently(() => {
      // Taken at the moment when this write has its turn.
      if (!other.inTransaction && done.length === 0 && turns++ === 0) other.exec('BEGIN IMMEDIATE')
      attempt('s1')
    })
    let turns = 0
    const second = history.patiently(() => attempt('s2'))
    other.exec('ROLLBACK')
    await waitFor(() => turns > 0 && other.inTransaction)
    other.exec('ROLLBACK')
    await Promise.all([first, second])
    expect(done).toEqual(['s1', 's2'])
  })

  it('ends its wait with the history', async () => {
    const write = history.patiently(() => begin('s1'))
    history.close()
    await expect(write).rejects.toThrow(/another program has locked the file/)
  })

  it('leaves other errors to the caller at once', async () => {
    other.exec('ROLLBACK')
    await history.patiently(() => begin('s1'))
    await expect(history.patiently(() => begin('s1'))).rejects.toThrow(HistoryError)
  })
})

describe('the wait for a lock', () => {
  const locked = () => {
    throw historyError('file', 'write it', Object.assign(new Error('locked'), { code: 'SQLITE_BUSY' }))
  }

  const refused = (write: Promise<unknown>) => write.catch(() => 'refused')

  it('has an end for all writes, of which only the first tries again', async () => {
    const patience = new Patience(() => false, 1)
    const writes = Array.from({ length: 20 }, () => vi.fn(locked))
    const all = await Promise.allSettled(writes.map((write) => patience.try(write)))
    expect(all.map(({ status }) => status)).toEqual(all.map(() => 'rejected'))
    expect(writes.filter((write) => write.mock.calls.length > 0)).toHaveLength(1)
  })

  it('has an end also for a write that finds the file locked anew at each attempt', async () => {
    const patience = new Patience(() => true, 1)
    onTestFinished(() => patience.close())
    await expect(patience.try(locked)).rejects.toThrow('locked')
  })

  it('takes no more than a bounded number of writes, and of bytes that they hold', async () => {
    const patience = new Patience(() => false)
    const waiting = Array.from({ length: 1000 }, () => patience.try(locked).catch(() => 'ended'))
    // A write that is refused at once ends before those that wait.
    expect(await Promise.race([...waiting, refused(patience.try(locked))])).toBe('refused')
    patience.close()
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['ended']))
    const large = new Patience(() => false)
    const one = large.try(locked, 64 * 1024 * 1024).catch(() => 'ended')
    expect(await Promise.race([one, refused(large.try(locked, 1))])).toBe('refused')
    large.close()
    expect(await one).toBe('ended')
  })
})
