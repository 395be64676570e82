import { mkdtempSync, rmSync, statSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import Database from 'libsql'
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { History, HistoryOptions } from '../../../src/gateway/history/history.ts'
import { openHistory } from '../../../src/gateway/rooms.ts'
import { RECORDED_BYTES } from '../../../src/contract/executions.ts'
import type { EventKind, NewSession } from '../../../src/gateway/history/session.ts'
import { HistoryError } from '../../../src/gateway/store/errors.ts'
import { removeOlder } from '../../support/remove-older.ts'
import { littleRoom } from '../../support/little-room.ts'

const STARTED = new Date('2026-03-01T10:00:00.000Z')
const ENDED = new Date('2026-03-01T10:00:07.250Z')
const DONE = { exitCode: 0, truncatedBytes: 0, endedAt: ENDED }
const MIB = 1024 * 1024

let folder: string
let opened: History[]

// The first use of libsql starts its threads, which keep a pair of sockets for as long as the process lives.
beforeAll(() => void new Database(':memory:').close())

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'history-'))
  opened = []
})

afterEach(() => {
  for (const history of opened) history.close()
  rmSync(folder, { recursive: true })
})

function open(options: HistoryOptions = {}): History {
  const history = openHistory(join(folder, 'history.db'), options)
  opened.push(history)
  return history
}

function newSession(id: string, changes: Partial<NewSession> = {}): NewSession {
  return {
    id,
    origin: 'client-api',
    verb: 'exec',
    connection: 'bash',
    connectionType: 'command-line',
    user: 'admin',
    script: Buffer.from('echo hello'),
    labels: {},
    metadata: {},
    startedAt: STARTED,
    ...changes,
  }
}

const REVIEW = {
  ...{ connection: 'bash', owner: 'admin', accessMs: 60_000, createdAt: 0, expiresAt: 0 },
  ...{ groups: [], minimum: 1, forceGroups: [], selfApproval: false },
  shown: { scriptDigest: { kind: 'sha256', hex: '' }, clientArgs: [], envVars: [] },
} as const

function withoutScript(session: NewSession): object {
  return Object.fromEntries(Object.entries(session).filter(([name]) => name !== 'script'))
}

function deferred<T>() {
  let resolve: (value: T) => void = () => undefined
  const promise = new Promise<T>((settle) => (resolve = settle))
  return { promise, resolve }
}

const everything = (history: History, id: string) =>
  [...history.events(id)].map(({ seconds, kind, bytes }) => [seconds, kind, bytes.toString()])

const scriptOf = (history: History, id: string) => Buffer.concat([...history.script(id)])

describe('a session', () => {
  test('comes back as it was begun and finished', () => {
    const history = open()
    const begun = newSession('s1', {
      origin: 'client-api-runbooks',
      connectionSubtype: 'postgres',
      script: Buffer.from([0, 255, 10, 195]),
      labels: { runbookFile: 'ops/a.runbook.sh', 'nul\0': 'tail\0\ud800' },
      metadata: { ticket: 12, nested: { list: [1, null, 'x'] } },
      sessionBatchId: 'batch',
      correlationId: 'c-1',
    })
    const { script, ...kept } = begun
    history.begin(begun)
    expect(scriptOf(history, 's1')).toStrictEqual(script)
    expect(history.session('s1')).toStrictEqual({
      ...kept,
      clockAt: STARTED,
      status: 'open',
      exitCode: undefined,
      truncatedBytes: 0,
      redactedBytes: 0,
      outputBytes: 0,
    })
    history.finish('s1', {
      ...{ exitCode: 7, truncatedBytes: 41, redactedBytes: 12, endedAt: ENDED },
      ...{ guardrails: '[]', masking: '{"err_count":1}' },
    })
    expect(history.session('s1')).toStrictEqual({
      ...kept,
      clockAt: STARTED,
      status: 'done',
      exitCode: 7,
      endedAt: ENDED,
      truncatedBytes: 41,
      redactedBytes: 12,
      guardrails: '[]',
      masking: '{"err_count":1}',
      outputBytes: 0,
    })
  })

  test('may end without an exit code, or with a negative one', () => {
    const history = open()
    history.begin(newSession('none'))
    history.begin(newSession('negative'))
    history.finish('none', { ...DONE, exitCode: undefined })
    history.finish('negative', { ...DONE, exitCode: -1 })
    expect(history.session('none')?.exitCode).toBeUndefined()
    expect(history.session('negative')?.exitCode).toBe(-1)
  })

  test('may have an empty script or one of 17 MiB', () => {
    const history = open()
    const script = Buffer.alloc(17 * MIB, 'select 1;\n')
    history.begin(newSession('empty', { script: Buffer.alloc(0) }))
    history.begin(newSession('long', { script }))
    expect(scriptOf(history, 'empty')).toStrictEqual(Buffer.alloc(0))
    expect(scriptOf(history, 'long').equals(script)).toBe(true)
    expect([...history.events('long')]).toEqual([])
  })

  test('that nobody began is unknown, has no output and no events', () => {
    const history = open()
    history.begin(newSession('s1'))
    for (const id of ['s2', '', 's1\0', 's1 ', "s1'--"]) {
      expect(history.session(id)).toBeUndefined()
      expect(history.output(id, MIB)).toEqual({ bytes: Buffer.alloc(0), truncated: false })
      expect([...history.events(id)]).toEqual([])
    }
  })

  test('cannot begin twice, nor end twice, nor end without having begun', () => {
    const history = open()
    history.begin(newSession('s1'))
    expect(() => history.begin(newSession('s1'))).toThrow(HistoryError)
    history.finish('s1', DONE)
    expect(() => history.finish('s1', DONE)).toThrow(/no open session has this id/)
    expect(() => history.finish('s2', DONE)).toThrow(/no open session has this id/)
  })

  test.each(['', 'a b', 'a\0b', 'ü', 'x'.repeat(201)])('is refused when its id is %j', (id) => {
    expect(() => open().begin(newSession(id))).toThrow(/session id/)
  })

  test('is refused when its metadata is not JSON', () => {
    const loop: Record<string, unknown> = {}
    loop['self'] = loop
    const history = open()
    expect(() => history.begin(newSession('s1', { metadata: loop }))).toThrow(/cannot be written as JSON/)
    expect(history.session('s1')).toBeUndefined()
  })
})

describe('the list', () => {
  test('is of those that fit, the newest first, also those of one millisecond', () => {
    const history = open()
    for (const [id, user] of [
      ['a', 'x'],
      ['b', 'y'],
      ['c', 'x'],
      ['d', 'x'],
    ] as const)
      history.begin(newSession(id, { user }))
    const { sessions, total } = history.list({ user: 'x', limit: 2, offset: 0 })
    expect([sessions.map(({ id }) => id), total]).toEqual([['d', 'c'], 3])
    expect(sessions[0]).toStrictEqual({
      ...withoutScript(newSession('d', { user: 'x' })),
      clockAt: STARTED,
      ...{ status: 'open', exitCode: undefined, truncatedBytes: 0, redactedBytes: 0, outputBytes: 0 },
    })
    expect(history.list({ user: 'x', viewer: { name: 'y', groups: [] }, limit: 2, offset: 0 })).toEqual({
      ...{ sessions: [], groups: new Map(), total: 0 },
      ...{ isCapped: false, hasMore: false },
    })
  })

  test('goes without labels and metadata that would fill the memory', () => {
    const history = open()
    const labels = { long: 'x'.repeat(MIB), 'nul\0': '\ud800' }
    history.begin(newSession('long', { labels, correlationId: 'c', connectionSubtype: 'postgres' }))
    history.begin(newSession('short', { labels: { a: 'b' } }))
    const { sessions } = history.list({ limit: 10, offset: 0 })
    expect(sessions).toMatchObject([
      { id: 'short', labels: { a: 'b' } },
      { id: 'long', correlationId: 'c', connectionSubtype: 'postgres', user: 'admin' },
    ])
    expect([sessions[1]?.labels, sessions[1]?.metadata]).toEqual([{}, {}])
    expect(history.session('long')?.labels).toEqual(labels)
  })
})

describe('the beginning of a command', () => {
  const BEGAN = new Date(STARTED.getTime() + 16 * 60_000)
  const claimed = (history: History) => {
    const review = { ...REVIEW, id: 'r', sessionId: 's1', type: 'onetime', status: 'PROCESSING' } as const
    const claimedAt = BEGAN.getTime() - 5000
    history.write(({ reviews }) => reviews.insert({ ...review, claimedAt }, null))
  }

  test('is the time from which its events count, at once and after the end', () => {
    const history = open()
    history.begin(newSession('s1'))
    claimed(history)
    expect(history.session('s1')?.beganAt).toBeUndefined()
    history.begun('s1', BEGAN)
    const moments = { startedAt: STARTED, beganAt: BEGAN, clockAt: BEGAN }
    expect(history.session('s1')).toMatchObject(moments)
    history.append('s1', 'o', Buffer.from('x'), 0.1)
    history.finish('s1', DONE)
    expect(history.list({ limit: 1, offset: 0 }).sessions).toMatchObject([moments])
    history.close()
    expect(open().session('s1')).toMatchObject(moments)
  })

  test('survives the end of the gateway, and tells when the session was last heard of', () => {
    const first = open()
    first.begin(newSession('s1'))
    claimed(first)
    first.begun('s1', BEGAN)
    first.append('s1', 'o', Buffer.from('x'), 2)
    first.close()
    const endedAt = new Date(BEGAN.getTime() + 2000)
    expect(open().session('s1')).toMatchObject({ beganAt: BEGAN, clockAt: BEGAN, endedAt })
  })

  test('is unknown where no agent has opened the session: events count from the end of its review', () => {
    const history = open()
    history.begin(newSession('s1'))
    claimed(history)
    history.append('s1', 'e', Buffer.from('agent offline'), 30)
    history.finish('s1', { ...DONE, exitCode: 254 })
    const { beganAt, clockAt } = history.session('s1') ?? {}
    expect([beganAt, clockAt]).toEqual([undefined, new Date(BEGAN.getTime() - 5000)])
  })

  test('decides on which day a session counts that has waited for it', () => {
    const history = open()
    for (const id of ['s1', 's2', 's3']) history.begin(newSession(id))
    history.begun('s1', BEGAN)
    history.begun('s2', new Date(STARTED.getTime() + 500))
    for (const id of ['s1', 's2', 's3']) history.finish(id, DONE)
    const succeeded = (from: Date, to: Date) =>
      history.outcomes({ from, to, limit: 1, offset: 0 }, 100).counts.get('succeeded')
    expect([succeeded(STARTED, STARTED), succeeded(BEGAN, BEGAN)]).toEqual([2, 1])
    expect(succeeded(STARTED, BEGAN)).toBe(3)
  })
})

describe('counts by outcome', () => {
  const span = { from: STARTED, to: STARTED, limit: 1, offset: 0, count: 'none' } as const
  const filled = () => {
    const history = open()
    for (let i = 0; i < 12; i++) {
      const user = i === 11 ? 'rare' : 'admin'
      history.begin(newSession(`s${i}`, { user, correlationId: `c${i}` }))
      if (i > 1) history.finish(`s${i}`, { ...DONE, exitCode: i === 2 ? 1 : 0 })
    }
    return history
  }
  const rare = { name: 'rare', groups: [] }

  test('are those of the viewer, the filters and the span', () => {
    const history = filled()
    const counts = (query: object) => Object.fromEntries(history.outcomes({ ...span, ...query }, 100).counts)
    const none = { failed: 0, stopped: 0, rejected: 0, open: 0, succeeded: 0 }
    expect(counts({})).toEqual({ ...none, failed: 1, open: 2, succeeded: 9 })
    expect(counts({ viewer: rare })).toEqual({ ...none, succeeded: 1 })
    expect(counts({ viewer: { ...rare, team: { all: ['bash'], connections: [], users: [] } } })).toEqual({
      ...{ ...none, failed: 1, open: 2, succeeded: 9 },
    })
    expect(counts({ outcomes: ['running', 'failed'] })).toEqual({ failed: 1, open: 2 })
    expect(counts({ correlationId: 'c3' })).toEqual({ ...none, succeeded: 1 })
    expect(counts({ from: ENDED, to: ENDED })).toEqual(none)
    const filters = [
      { issueKeys: ['A-1'] },
      { sessionBatchId: 'b' },
      { reviewGroups: ['dba'] },
      { runbook: 'r' },
    ]
    for (const filter of [
      ...filters,
      { reviewStatus: 'PENDING' },
      { connectionType: 'x' },
      { kind: 'schedule' },
    ])
      expect(counts(filter)).toEqual(none)
  })

  test('look at no more sessions than they may, also where few match', () => {
    const history = filled()
    const counted = (viewer: typeof rare | undefined, most: number) => {
      const { counts, isCapped } = history.outcomes({ ...span, viewer }, most)
      return [Object.fromEntries(counts), isCapped]
    }
    const some = { failed: 1, stopped: 0, rejected: 0, open: 2, succeeded: 5 }
    expect(counted(undefined, 8)).toEqual([some, true])
    expect(counted(undefined, 12)).toEqual([{ ...some, succeeded: 9 }, false])
    const none = { failed: 0, stopped: 0, rejected: 0, open: 0, succeeded: 0 }
    expect(counted(rare, 8)).toEqual([none, true])
    expect(counted(rare, 12)).toEqual([{ ...none, succeeded: 1 }, false])
  })
})

describe('output', () => {
  test('is what o and e events carried, in their order; events has the input as well', () => {
    const history = open()
    history.begin(newSession('s1'))
    history.append('s1', 'i', Buffer.from('in'), 0)
    history.append('s1', 'o', Buffer.from('one '), 0.25)
    history.append('s1', 'e', Buffer.from('two '), 1.5)
    history.append('s1', 'o', Buffer.from('three'), 3)
    history.finish('s1', DONE)
    expect(history.output('s1', MIB)).toEqual({ bytes: Buffer.from('one two three'), truncated: false })
    expect(everything(history, 's1')).toEqual([
      [0, 'i', 'in'],
      [0.25, 'o', 'one '],
      [1.5, 'e', 'two '],
      [3, 'o', 'three'],
    ])
  })

  test('has no sizes of a terminal in it; events has them where they are asked for', () => {
    const history = open()
    history.begin(newSession('s1', { origin: 'client', verb: 'connect', script: Buffer.alloc(0) }))
    history.append('s1', 'r', Buffer.from('80x24'), 0)
    history.append('s1', 'o', Buffer.from('$ '), 0.5)
    history.append('s1', 'i', Buffer.from('ls'), 1)
    history.append('s1', 'r', Buffer.from('132x50'), 2)
    const letters = (which: 'stream' | 'output' | 'terminal') =>
      [...history.events('s1', which)].map(({ kind, bytes }) => `${kind} ${bytes.toString()}`)
    const check = () => {
      expect(letters('terminal')).toEqual(['r 80x24', 'o $ ', 'i ls', 'r 132x50'])
      expect(everything(history, 's1').map(([, kind]) => kind)).toEqual(['o', 'i'])
      expect(letters('output')).toEqual(['o $ '])
      expect(history.output('s1', MIB)).toEqual({ bytes: Buffer.from('$ '), truncated: false })
      expect(history.session('s1')).toMatchObject({ outputBytes: 2, truncatedBytes: 0 })
    }
    check()
    history.finish('s1', DONE)
    check()
  })

  test('leaves room for itself however often a terminal changes its size', () => {
    const history = open()
    history.begin(newSession('s1'))
    for (let i = 0; i < 20_000; i += 1) history.append('s1', 'r', Buffer.from('80x24'), i)
    history.append('s1', 'o', Buffer.from('still here'), 20_000)
    history.finish('s1', DONE)
    expect(history.output('s1', MIB).bytes.toString()).toBe('still here')
    expect([...history.events('s1', 'terminal')].length).toBeLessThan(15_000)
  })

  test('is counted, while the session runs and when it has ended', () => {
    const history = open()
    history.begin(newSession('s1'))
    history.append('s1', 'o', Buffer.alloc(300_000), 0)
    history.append('s1', 'e', Buffer.alloc(7), 0)
    history.append('s1', 'i', Buffer.alloc(100), 0)
    expect(history.session('s1')?.outputBytes).toBe(300_007)
    history.finish('s1', DONE)
    expect(history.session('s1')?.outputBytes).toBe(300_007)
  })

  test('of a running session is complete up to now', () => {
    const history = open()
    history.begin(newSession('s1'))
    history.append('s1', 'o', Buffer.from('a'), 0)
    expect(history.output('s1', MIB).bytes.toString()).toBe('a')
    history.append('s1', 'o', Buffer.from('b'), 0)
    expect(everything(history, 's1')).toEqual([
      [0, 'o', 'a'],
      [0, 'o', 'b'],
    ])
  })

  test('has no hole for a slow reader, whatever is written while he reads', () => {
    const history = open()
    history.begin(newSession('s1'))
    history.append('s1', 'o', Buffer.from('a'), 0)
    const reading = history.events('s1', 'output')
    expect(reading.next()).toMatchObject({ value: { bytes: Buffer.from('a') } })
    history.append('s1', 'o', Buffer.from('b'), 1)
    history.output('s1', MIB)
    history.append('s1', 'o', Buffer.from('c'), 2)
    expect([...reading].map(({ bytes }) => bytes.toString())).toEqual(['b', 'c'])
  })

  test('of one session does not hold that of another', () => {
    const history = open()
    for (const id of ['a', 'b']) history.begin(newSession(id))
    for (const text of ['1', '2', '3'])
      for (const id of ['a', 'b']) history.append(id, 'o', Buffer.from(id + text), 0)
    for (const id of ['a', 'b']) history.finish(id, DONE)
    expect(history.output('a', MIB).bytes.toString()).toBe('a1a2a3')
    expect(history.output('b', MIB).bytes.toString()).toBe('b1b2b3')
  })

  test('is cut at the length asked for and says so', () => {
    const history = open()
    history.begin(newSession('s1'))
    history.append('s1', 'o', Buffer.from('hello '), 0)
    history.append('s1', 'e', Buffer.from('world'), 0)
    history.finish('s1', DONE)
    expect(history.output('s1', 8)).toEqual({ bytes: Buffer.from('hello wo'), truncated: true })
    expect(history.output('s1', 0)).toEqual({ bytes: Buffer.alloc(0), truncated: true })
    expect(history.output('s1', 11)).toEqual({ bytes: Buffer.from('hello world'), truncated: false })
  })

  test('counts as truncated when the agent left some out', () => {
    const history = open()
    history.begin(newSession('s1'))
    history.append('s1', 'o', Buffer.from('x'), 0)
    history.finish('s1', { ...DONE, truncatedBytes: 1 })
    expect(history.output('s1', MIB)).toEqual({ bytes: Buffer.from('x'), truncated: true })
  })

  test('may not be changed by a caller that uses its buffer again', () => {
    const history = open()
    history.begin(newSession('s1'))
    const buffer = Buffer.from('first')
    history.append('s1', 'o', buffer, 0)
    buffer.fill('x')
    expect(history.output('s1', MIB).bytes.toString()).toBe('first')
  })

  test('after the end, or for nobody, is ignored', () => {
    const history = open()
    history.begin(newSession('s1'))
    history.finish('s1', DONE)
    history.append('s1', 'o', Buffer.from('late'), 0)
    history.append('s2', 'o', Buffer.from('lost'), 0)
    expect(history.output('s1', MIB).bytes).toHaveLength(0)
  })

  test('of any chunking comes back as the same bytes with the same kinds', () => {
    const history = open()
    const event = fc.record({
      kind: fc.constantFrom<EventKind>('i', 'o', 'e'),
      bytes: fc.oneof(
        fc.uint8Array({ maxLength: 40 }),
        fc.integer({ min: 65_530, max: 200_000 }).map((length) => new Uint8Array(length).fill(length)),
      ),
      looksBetween: fc.boolean(),
    })
    let count = 0
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        const id = `p${count++}`
        history.begin(newSession(id))
        events.forEach(({ kind, bytes, looksBetween }, i) => {
          history.append(id, kind, Buffer.from(bytes), i)
          if (looksBetween) history.output(id, 10)
        })
        history.finish(id, DONE)
        const joined = Buffer.concat(events.filter(({ kind }) => kind !== 'i').map(({ bytes }) => bytes))
        expect(history.output(id, RECORDED_BYTES).bytes.equals(joined)).toBe(true)
        const bySecond = new Map<number, { kind: EventKind; parts: Buffer[] }>()
        for (const { seconds, kind, bytes } of history.events(id)) {
          const found = bySecond.get(seconds) ?? { kind, parts: [] }
          found.parts.push(bytes)
          bySecond.set(seconds, found)
        }
        events.forEach(({ kind, bytes }, i) => {
          const found = bySecond.get(i) ?? { kind, parts: [] }
          expect(found.kind).toBe(kind)
          expect(Buffer.concat(found.parts).equals(bytes)).toBe(true)
        })
      }),
      { numRuns: 40 },
    )
  })

  test('is recorded up to exactly 110 MiB; what comes after is counted as left out', () => {
    const history = open()
    history.begin(newSession('s1'))
    const part = Buffer.alloc(10 * MIB, 'a')
    for (let i = 0; i < 10; i++) history.append('s1', 'o', part, i)
    history.append('s1', 'e', Buffer.alloc(10 * MIB - 1, 'b'), 10)
    expect(history.session('s1')?.truncatedBytes).toBe(0)
    history.append('s1', 'o', Buffer.from('cd'), 11)
    history.append('s1', 'o', Buffer.from('efg'), 12)
    expect(history.output('s1', 10).truncated).toBe(true)
    history.finish('s1', { ...DONE, truncatedBytes: 100 })
    const { bytes, truncated } = history.output('s1', 200 * MIB)
    expect(bytes).toHaveLength(115_343_360)
    expect(bytes.subarray(-2).toString()).toBe('bc')
    expect(truncated).toBe(true)
    expect(history.session('s1')?.truncatedBytes).toBe(104)
  })
})

describe('writing', () => {
  test('happens by itself a while after an event', async () => {
    const history = open({ flushAfterMs: 5 })
    history.begin(newSession('s1'))
    const size = () => statSync(join(folder, 'history.db-wal')).size
    const before = size()
    history.append('s1', 'o', Buffer.from('x'), 0)
    expect(size()).toBe(before)
    await vi.waitUntil(() => size() > before)
  })

  test.each([
    ['one session has 256 KiB unwritten', 1, 256],
    ['all sessions together have 4 MiB unwritten', 20, 220],
  ])('happens at once when %s', (_title, sessions, kib) => {
    const history = open({ flushAfterMs: 3_600_000 })
    for (let i = 0; i < sessions; i++) history.begin(newSession(`s${i}`))
    const size = () =>
      statSync(join(folder, 'history.db')).size + statSync(join(folder, 'history.db-wal')).size
    const before = size()
    for (let i = 0; i < sessions; i++) history.append(`s${i}`, 'o', Buffer.alloc(kib * 1024), 0)
    expect(size() - before).toBeGreaterThan(200 * 1024)
  })

  test('happens at once for a flood of one-byte events, long before they are 256 KiB', () => {
    const history = open({ flushAfterMs: 3_600_000 })
    history.begin(newSession('s1'))
    const size = () => statSync(join(folder, 'history.db-wal')).size
    const before = size()
    for (let i = 0; i < 3000; i++) history.append('s1', 'o', Buffer.from('x'), 0)
    expect(size()).toBeGreaterThan(before)
  })
})

describe('a full disk', () => {
  const LITTLE = { maxBytes: littleRoom(30) }

  test('is an error of begin that names the file and the way out', () => {
    const history = open(LITTLE)
    const begin = () => history.begin(newSession('big', { script: Buffer.alloc(MIB) }))
    expect(begin).toThrow(HistoryError)
    expect(begin).toThrow(/history\.db: cannot begin a session: .*full; free some space/)
    expect(history.session('big')).toBeUndefined()
    history.begin(newSession('small'))
    history.finish('small', DONE)
    expect(history.session('small')?.status).toBe('done')
  })

  test('is told at once and again at the end when output could not be written, and the end is recorded', () => {
    const told: HistoryError[] = []
    const history = open({ ...LITTLE, onError: (error) => told.push(error) })
    history.begin(newSession('s1'))
    history.append('s1', 'o', Buffer.from('kept '), 0)
    expect(history.output('s1', MIB).bytes.toString()).toBe('kept ')
    history.append('s1', 'o', Buffer.alloc(MIB), 1)
    expect(told).toHaveLength(1)
    history.append('s1', 'o', Buffer.from('after the hole'), 2)
    expect(() => history.finish('s1', { ...DONE, exitCode: 3 })).toThrow(
      /session s1 has ended, but 1048590 bytes of its output are not in the history: .*full/,
    )
    expect(history.output('s1', MIB)).toEqual({ bytes: Buffer.from('kept '), truncated: true })
    expect(history.session('s1')).toMatchObject({ status: 'done', exitCode: 3, truncatedBytes: 1_048_590 })
    expect(told).toHaveLength(1)
  })

  test('met by the last events still records the end', () => {
    const history = open(LITTLE)
    history.begin(newSession('s1'))
    history.append('s1', 'o', Buffer.alloc(200 * 1024), 0)
    expect(() => history.finish('s1', DONE)).toThrow(/204800 bytes of its output are not in the history/)
    expect(history.session('s1')).toMatchObject({ status: 'done', truncatedBytes: 204_800 })
  })

  test('met by the timer crashes nothing', async () => {
    const told = deferred<HistoryError>()
    const history = open({ ...LITTLE, flushAfterMs: 1, onError: told.resolve })
    history.begin(newSession('s1'))
    history.append('s1', 'o', Buffer.alloc(200 * 1024), 0)
    await expect(told.promise).resolves.toBeInstanceOf(HistoryError)
    expect(() => history.finish('s1', DONE)).toThrow(HistoryError)
  })

  test('of one session does not spoil another', () => {
    const history = open(LITTLE)
    for (const id of ['big', 'small']) history.begin(newSession(id))
    history.append('big', 'o', Buffer.alloc(MIB), 0)
    history.append('small', 'o', Buffer.from('fine'), 0)
    history.finish('small', DONE)
    expect(history.output('small', MIB)).toEqual({ bytes: Buffer.from('fine'), truncated: false })
  })
})

describe('a restart', () => {
  test('keeps what was recorded', () => {
    const first = open()
    first.begin(newSession('s1'))
    first.append('s1', 'o', Buffer.from('hello'), 0)
    first.finish('s1', DONE)
    first.close()
    const second = open()
    expect(second.session('s1')).toMatchObject({ status: 'done', exitCode: 0, endedAt: ENDED })
    expect(second.output('s1', MIB).bytes.toString()).toBe('hello')
  })

  test('ends sessions that were running: code 254, a text, and the time they were last heard of', () => {
    const first = open()
    first.begin(newSession('s1'))
    first.append('s1', 'o', Buffer.from('half'), 2.5)
    first.close()
    const second = open()
    expect(second.session('s1')).toMatchObject({
      status: 'done',
      exitCode: 254,
      endedAt: new Date(STARTED.getTime() + 2500),
    })
    expect(everything(second, 's1')).toEqual([
      [2.5, 'o', 'half'],
      [2.5, 'e', 'gateway stopped while the session was running'],
    ])
    second.close()
    expect(everything(open(), 's1')).toHaveLength(2)
  })
})

describe('purge', () => {
  test('deletes what ended before the time, never what runs, and says how many', () => {
    const history = open()
    const endings: Record<string, string> = { old: '2026-01-01', edge: '2026-02-01', new: '2026-02-02' }
    for (const id of ['old', 'edge', 'new', 'running']) {
      history.begin(newSession(id, { startedAt: new Date('2020-01-01') }))
      history.append(id, 'o', Buffer.from(id), 0)
      const ended = endings[id]
      if (ended !== undefined) history.finish(id, { ...DONE, endedAt: new Date(ended) })
    }
    expect(removeOlder(history, new Date('2026-02-01'))).toBe(1)
    expect(history.session('old')).toBeUndefined()
    expect(history.output('old', MIB).bytes).toHaveLength(0)
    const left = ['old', 'edge', 'new', 'running'].filter((id) => history.session(id) !== undefined)
    expect(left).toEqual(['edge', 'new', 'running'])
    expect(history.output('running', MIB).bytes.toString()).toBe('running')
    expect(removeOlder(history, new Date('2026-02-01'))).toBe(0)
  })

  test('leaves sessions whose approval of terminals holds: it could not be revoked any more', () => {
    const history = open()
    const now = Date.now()
    for (const [id, type, revokeAt] of [
      ['holds', 'jit', now + 60_000],
      ['is-over', 'jit', now - 60_000],
      ['ran', 'onetime', now + 60_000],
    ] as const) {
      history.begin(newSession(id))
      const review = { id: `of ${id}`, sessionId: id, type, status: 'APPROVED', revokeAt } as const
      history.write(({ reviews }) => reviews.insert({ ...REVIEW, ...review }, null))
      history.finish(id, DONE)
    }
    expect(removeOlder(history, new Date('2027-01-01'))).toBe(2)
    expect(history.read(({ reviews }) => reviews.find('holds'))?.id).toBe('of holds')
    expect(history.read(({ reviews }) => reviews.find('is-over'))).toBeUndefined()
  })

  test('deletes hundreds and gives the space back to the disk', () => {
    const history = open()
    for (let i = 0; i < 220; i++) {
      history.begin(newSession(`s${i}`))
      history.append(`s${i}`, 'o', Buffer.alloc(100_000, i), 0)
      history.finish(`s${i}`, DONE)
    }
    const size = () => readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
    expect(size()).toBeGreaterThan(20_000_000)
    expect(removeOlder(history, new Date('2027-01-01'))).toBe(220)
    // The reserve for ends has half a megabyte; what the audit log says of them stays.
    expect(size()).toBeLessThan(littleRoom(0) + 512_000 + 220 * 1000)
  })
})

test('a closed history refuses everything but output, which it ignores, and closing again', () => {
  const history = open()
  history.begin(newSession('s1'))
  history.close()
  history.close()
  history.append('s1', 'o', Buffer.from('x'), 0)
  expect(() => history.begin(newSession('s2'))).toThrow(/the history is closed/)
  expect(() => history.finish('s1', DONE)).toThrow(/the history is closed/)
  expect(() => history.session('s1')).toThrow(/the history is closed/)
  expect(() => removeOlder(history, ENDED)).toThrow(/the history is closed/)
})
