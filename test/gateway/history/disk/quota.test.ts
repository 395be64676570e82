import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'libsql'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { History } from '../../../../src/gateway/history/history.ts'
import { openHistory } from '../../../../src/gateway/rooms.ts'
import { KEEP_ALL, retainMs, type Retention } from '../../../../src/gateway/settings/retention.ts'

const MIB = 1024 * 1024
const SIZE = 16 * MIB

let folder: string
let opened: History[]
let clock: number

// The first use of libsql starts its threads, which keep a pair of sockets for as long as the process lives.
beforeAll(() => void new Database(':memory:').close())

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'quota-'))
  opened = []
  clock = Date.parse('2026-03-01')
})
afterEach(() => {
  for (const history of opened) history.close()
  rmSync(folder, { recursive: true })
})

function open(
  sizeBytes = SIZE,
  connections: Retention['connections'] = new Map(),
  { retainMs } = KEEP_ALL,
): History {
  const retention = () => ({ retainMs, sizeBytes, connections })
  const history = openHistory(join(folder, 'history.db'), { retention })
  opened.push(history)
  return history
}

function begin(history: History, id: string, user: string, script = 'x', connection = 'bash'): void {
  history.begin({
    ...{ id, origin: 'client-api', verb: 'exec', connection, connectionType: 'command-line' },
    ...{ user, script: Buffer.from(script), labels: {}, metadata: {}, startedAt: new Date(clock++) },
  })
}

const finish = (history: History, id: string) =>
  history.finish(id, { exitCode: 0, truncatedBytes: 0, endedAt: new Date(clock++) })

/** Writes as an agent does. */
function write(history: History, id: string, bytes: number): void {
  for (let left = bytes; left > 0; left -= 64 * 1024) history.append(id, 'o', Buffer.alloc(64 * 1024, 'x'), 1)
}

function run(history: History, id: string, user: string, bytes: number): void {
  begin(history, id, user)
  write(history, id, bytes)
  finish(history, id)
}

const there = (history: History, ids: readonly string[]) =>
  ids.filter((id) => history.session(id) !== undefined)
const fileBytes = () => statSync(join(folder, 'history.db')).size
const numbered = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}${i}`)

test('the history stays within its size: the oldest finished sessions go, those that run never', () => {
  const history = open()
  begin(history, 'running', 'u0')
  const ids = numbered('s', 60)
  ids.forEach((id, i) => run(history, id, `u${i % 8}`, MIB))
  const left = there(history, ids)
  expect(left.length).toBeGreaterThan(9)
  expect(left).toEqual(ids.slice(-left.length))
  expect(history.session('running')?.status).toBe('open')
  history.close()
  expect(fileBytes()).toBeLessThan(SIZE + 2 * MIB)
})

test('a user beyond his share, a quarter, loses his own oldest sessions and nobody else any', () => {
  const history = open()
  const others = numbered('other', 4)
  for (const id of others) run(history, id, 'ann', MIB / 2)
  const floods = numbered('flood', 30)
  for (const id of floods) run(history, id, 'bob', MIB)
  expect(there(history, others)).toEqual(others)
  expect(there(history, floods)).toEqual(floods.slice(-3))
})

test('output of running sessions beyond the share is cut, counted and said, and one more session begins', () => {
  const history = open()
  for (const id of numbered('s', 20)) begin(history, id, 'bob')
  for (let round = 0; round < 20; round++) for (const id of numbered('s', 20)) write(history, id, MIB / 4)
  begin(history, 'another', 'bob')
  for (const id of [...numbered('s', 20), 'another']) finish(history, id)
  const sessions = numbered('s', 20).map((id) => history.session(id))
  const sum = (of: 'outputBytes' | 'truncatedBytes') =>
    sessions.reduce((all, session) => all + (session?.[of] ?? 0), 0)
  expect(sum('outputBytes')).toBeGreaterThan(2 * MIB)
  expect(sum('outputBytes')).toBeLessThan(SIZE / 4)
  const note = 'the output is no longer recorded: your running sessions fill your share'
  const { bytes, truncated } = history.output('s19', 110 * MIB)
  expect(bytes.toString()).toContain(note)
  expect(truncated).toBe(true)
  expect(sum('truncatedBytes') + sum('outputBytes')).toBeGreaterThanOrEqual(100 * MIB)
  history.close()
  expect(fileBytes()).toBeLessThan(SIZE / 2)
})

test('what one user runs may take no more than his share: a session more is refused, that of another is not', () => {
  const history = open()
  const script = 'x'.repeat(MIB)
  for (const id of ['a', 'b', 'c']) begin(history, id, 'bob', script)
  expect(() => begin(history, 'd', 'bob', script)).toThrow(
    expect.objectContaining({ code: 'too-much-at-once' }) as Error,
  )
  expect(() => begin(history, 'd', 'bob', script)).toThrow(/a quarter of history\.size/)
  begin(history, 'e', 'ann', script)
  finish(history, 'a')
  begin(history, 'd', 'bob', script)
  expect(history.session('a')).toBeUndefined()
})

test('a size that was lowered is kept after steps that are small, and the file gives its room back', () => {
  const before = open(64 * MIB)
  const ids = numbered('s', 30)
  ids.forEach((id, i) => run(before, id, `u${i}`, MIB))
  before.close()
  expect(fileBytes()).toBeGreaterThan(25 * MIB)
  const history = open(8 * MIB)
  const steps = []
  for (let isDone = false; !isDone;) {
    const step = history.quota.removeExcess()
    steps.push(step.sessions)
    isDone = step.isDone
  }
  expect(Math.max(...steps)).toBeLessThan(4)
  while (history.shrink());
  history.close()
  expect(fileBytes()).toBeLessThan(9 * MIB)
  const again = open(8 * MIB)
  const left = there(again, ids)
  expect(left).toEqual(ids.slice(-left.length))
})

test('a session whose removal was cut short by a kill is gone, and the rest of it goes with the next step', () => {
  const history = open()
  run(history, 'large', 'ann', 4 * MIB - MIB / 2)
  expect(history.quota.removeOlder(() => Date.parse('2027-01-01'))).toEqual({ sessions: 1, isDone: false })
  expect(history.session('large')).toBeUndefined()
  history.close()
  const next = open()
  run(next, 'next', 'ann', 1000)
  expect(next.output('next', MIB).bytes).toHaveLength(64 * 1024)
  while (!next.quota.removeOlder(() => 0).isDone);
  expect(next.session('next')?.outputBytes).toBe(64 * 1024)
  next.close()
  const db = new Database(':memory:')
  db.exec(`ATTACH '${join(folder, 'history.db')}' AS history`)
  expect(db.prepare('SELECT count(*) FROM events').raw().get([])).toEqual([2])
  expect(db.prepare('SELECT count(*) FROM removals').raw().get([])).toEqual([0])
  db.exec('DETACH history')
  db.close()
})

describe('a connection with limits of its own', () => {
  const DAY = 24 * 3_600_000
  const removeAll = (step: () => { isDone: boolean }) => {
    while (!step().isDone);
  }

  /** One session of each name, a day apart, each on the connection that its name begins with. */
  function runDaily(history: History, ids: readonly string[]): void {
    for (const id of ids) {
      begin(history, id, id, 'x', id.slice(0, -1))
      finish(history, id)
      clock += DAY
    }
  }

  test('keeps its sessions longer, or less long, than the others do', () => {
    const history = open()
    const ids = ['long1', 'bash1', 'short1', 'bash2', 'short2']
    runDaily(history, ids)
    const retention = {
      ...{ retainMs: 3 * DAY, sizeBytes: SIZE },
      connections: new Map([
        ['long', { retainMs: 365 * DAY }],
        ['short', { retainMs: 1.5 * DAY }],
      ]),
    }
    removeAll(() => history.quota.removeOlder((connection) => clock - retainMs(retention, connection)))
    expect(there(history, ids)).toEqual(['long1', 'bash2', 'short2'])
  })

  test('loses its own oldest sessions beyond its size, and nobody else any; those that run stay', () => {
    const history = open(64 * MIB, new Map([['noisy', { sizeBytes: 4 * MIB }]]))
    run(history, 'other', 'ann', MIB)
    begin(history, 'running', 'ann', 'x', 'noisy')
    const ids = numbered('noisy', 12)
    for (const id of ids) {
      begin(history, id, id, 'x', 'noisy')
      write(history, id, MIB)
      finish(history, id)
    }
    expect(there(history, ['other', 'running', ...ids])).toEqual(['other', 'running', ...ids.slice(-3)])
  })

  test('says so to those whose sessions do not fit any more beside those that run', () => {
    const history = open(64 * MIB, new Map([['noisy', { sizeBytes: 2 * MIB }]]))
    const script = 'x'.repeat(MIB)
    begin(history, 'a', 'ann', script, 'noisy')
    expect(() => begin(history, 'b', 'bob', script, 'noisy')).toThrow(
      /of this connection .*connections\[\]\.history\.size/,
    )
    begin(history, 'c', 'bob', script, 'bash')
  })

  test('shrinks to a size that was lowered meanwhile', () => {
    const connections = new Map<string, { sizeBytes: number }>()
    const history = open(64 * MIB, connections)
    for (const id of numbered('s', 8)) run(history, id, id, MIB)
    connections.set('bash', { sizeBytes: 4 * MIB })
    removeAll(() => history.quota.removeExcess())
    expect(there(history, numbered('s', 8))).toEqual(['s5', 's6', 's7'])
  })

  test('which is kept longer loses no session to one whose sessions are nearer to their end', () => {
    const retention = new Map([['long', { retainMs: 365 * DAY }]])
    const history = open(64 * MIB, retention, { ...KEEP_ALL, retainMs: 30 * DAY })
    const ids = ['long1', 'bash1', 'bash2', 'long2', 'bash3', 'long3']
    runDaily(history, ids)
    history.close()
    // So small that nothing can stay; step by step, to see in which order they go.
    const small = open(1, retention, { ...KEEP_ALL, retainMs: 30 * DAY })
    const order: string[] = []
    for (let isDone = false; !isDone;) {
      const before = there(small, ids)
      isDone = small.quota.removeExcess().isDone
      order.push(...before.filter((id) => small.session(id) === undefined))
    }
    expect(order).toEqual(['bash1', 'bash2', 'bash3', 'long1', 'long2', 'long3'])
  })
})
