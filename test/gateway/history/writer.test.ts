import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'libsql'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { History, HistoryOptions } from '../../../src/gateway/history/history.ts'
import { openHistory } from '../../../src/gateway/rooms.ts'
import { HistoryError } from '../../../src/gateway/store/errors.ts'
import { removeOlder } from '../../support/remove-older.ts'
import { littleRoom } from '../../support/little-room.ts'
import { waitFor } from '../../support/wait.ts'

const MIB = 1024 * 1024
const OLD = new Date('2026-01-01')
const NEW = new Date('2026-03-01')

let folder: string
let opened: History[]
let told: string[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'history-'))
  opened = []
  told = []
})

afterEach(() => {
  for (const history of opened) history.close()
  rmSync(folder, { recursive: true })
})

function open(options: HistoryOptions = {}): History {
  const history = openHistory(join(folder, 'history.db'), {
    flushAfterMs: 5,
    onError: ({ message }) => told.push(message),
    ...options,
  })
  opened.push(history)
  return history
}

function begin(history: History, id: string): void {
  history.begin({
    ...{ id, origin: 'client-api', verb: 'exec', connection: 'bash', connectionType: 'command-line' },
    ...{ user: 'admin', script: Buffer.alloc(0), labels: {}, metadata: {}, startedAt: OLD },
  })
}

const done = (exitCode: number, endedAt = NEW) => ({ exitCode, truncatedBytes: 0, endedAt })

/** Does the work while another program holds the file. */
async function whileLocked(work: () => void | Promise<void>): Promise<void> {
  const db = new Database(join(folder, 'history.db'))
  try {
    db.exec('BEGIN IMMEDIATE')
    await work()
    db.exec('ROLLBACK')
  } finally {
    db.close()
  }
}

/** Rows as another program sees them. Attached, because libsql keeps a closed file open (store/sqlite.ts). */
function select(sql: string): unknown[] {
  const db = new Database(':memory:')
  db.exec(`ATTACH '${join(folder, 'history.db')}' AS history`)
  try {
    return db.prepare(sql).raw().all([])
  } finally {
    db.exec('DETACH history')
    db.close()
  }
}

/** Sessions whose end is in the file. */
function written(): unknown[] {
  return select(`SELECT id, exit_code, truncated_bytes FROM sessions WHERE status = 'done' ORDER BY key`)
}

describe('a file that another program holds', () => {
  test('is no loss: output and end are read from memory, and written once it is free', async () => {
    const history = open()
    begin(history, 's1')
    history.append('s1', 'o', Buffer.from('before '), 1)
    expect(history.output('s1', MIB).bytes.toString()).toBe('before ')
    await whileLocked(() => {
      history.append('s1', 'i', Buffer.from('input'), 2)
      history.append('s1', 'o', Buffer.alloc(300 * 1024, 'x'), 3)
      history.finish('s1', done(3))
      history.append('s1', 'o', Buffer.from('late'), 4)
      expect(history.session('s1')).toMatchObject({ status: 'done', exitCode: 3, endedAt: NEW })
      const { sessions } = history.list({ limit: 1, offset: 0 })
      expect(sessions).toMatchObject([{ id: 's1', status: 'done', exitCode: 3, outputBytes: 307_207 }])
      expect(history.output('s1', 10)).toEqual({ bytes: Buffer.from('before xxx'), truncated: true })
      expect(history.output('s1', MIB)).toMatchObject({ truncated: false })
      expect([...history.events('s1')].map(({ kind }) => kind).join('')).toBe('oiooooo')
      expect(written()).toEqual([])
    })
    await waitFor(() => written().length > 0)
    expect(written()).toEqual([['s1', 3, 0]])
    expect(history.output('s1', MIB).bytes).toHaveLength(7 + 300 * 1024)
    // Nothing is told of a lock that is over at the next attempt.
    expect(told).toEqual([])
  })

  test('is tried again by the timer until it is free', async () => {
    const history = open()
    begin(history, 's1')
    await whileLocked(async () => {
      history.append('s1', 'o', Buffer.from('x'), 1)
      await waitFor(() => told.length > 0)
    })
    expect(told).toEqual([expect.stringContaining('another program has locked the file; close that program')])
    await waitFor(() => select('SELECT key FROM events').length === 1)
    history.finish('s1', done(0))
  })

  test('refuses a new session, and the next one is accepted when it is free', async () => {
    const history = open()
    await whileLocked(() => {
      expect(() => begin(history, 's1')).toThrow(
        /cannot begin a session: .*another program has locked the file/,
      )
    })
    begin(history, 's1')
  })

  test('costs the session with most output its record when the memory is full, and no other', async () => {
    const history = open({ flushAfterMs: 3_600_000 })
    for (const id of ['small', 'big', 'late']) begin(history, id)
    await whileLocked(() => {
      history.append('small', 'o', Buffer.alloc(MIB, 's'), 1)
      for (let i = 0; i < 5; i++) history.append('big', 'o', Buffer.alloc(MIB, 'b'), i)
      history.append('late', 'o', Buffer.alloc(MIB, 'l'), 9)
      expect(() => history.finish('big', done(0))).toThrow(
        /session big has ended, but 5242880 bytes of its output are not in the history.*another program has locked the file/,
      )
      history.finish('small', done(0))
      history.finish('late', done(0))
    })
    history.close()
    expect(written()).toEqual([
      ['small', 0, 0],
      ['big', 0, 5 * MIB],
      ['late', 0, 0],
    ])
    expect(open().output('late', 2 * MIB).bytes).toHaveLength(MIB)
  })
})

describe('a file without room for the end of a session', () => {
  /** Begins sessions until there is not even room for one more, and ends them. */
  function fill(history: History): { ended: string[]; unwritten: string[] } {
    const ids: string[] = []
    try {
      for (;;) {
        begin(history, `s${ids.length}`)
        ids.push(`s${ids.length}`)
      }
    } catch (error) {
      expect(error).toBeInstanceOf(HistoryError)
    }
    ids.forEach((id, i) => history.finish(id, done(i + 1_000_000, OLD)))
    const ended = written().map((row) => (row as [string])[0])
    return { ended, unwritten: ids.filter((id) => !ended.includes(id)) }
  }

  test('keeps the end, shows it, and writes it by itself when there is room again', async () => {
    const history = open({ maxBytes: littleRoom(40) })
    const { ended, unwritten } = fill(history)
    expect(unwritten).not.toEqual([])
    const [id = ''] = unwritten
    expect(history.session(id)).toMatchObject({ status: 'done', endedAt: OLD })
    expect(() => history.finish(id, done(1))).toThrow('has ended already')
    expect(told).toHaveLength(unwritten.length)
    expect(removeOlder(history, NEW)).toBe(ended.length)
    await waitFor(() => written().length === unwritten.length)
    expect(written()).toEqual(unwritten.map((one) => [one, Number(one.slice(1)) + 1_000_000, 0]))
  })

  test('writes it when it is closed', () => {
    const history = open({ maxBytes: littleRoom(40), flushAfterMs: 3_600_000 })
    const { unwritten } = fill(history)
    expect(unwritten).not.toEqual([])
    removeOlder(history, NEW)
    expect(written()).toEqual([])
    history.close()
    expect(written()).toHaveLength(unwritten.length)
  })
})
