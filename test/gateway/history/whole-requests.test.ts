import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { History } from '../../../src/gateway/history/history.ts'
import type { NewSession, SessionQuery } from '../../../src/gateway/history/session.ts'
import { VERSION_28 } from '../../../src/gateway/history/whole-requests.ts'
import { openHistory } from '../../../src/gateway/rooms.ts'
import { closeFile, openFile, type Connection } from '../../../src/gateway/store/sqlite.ts'
import { removeOlder } from '../../support/remove-older.ts'

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'whole-requests-'))
  file = path.join(folder, 'history.sqlite')
})
afterEach(() => rmSync(folder, { recursive: true }))

const BEGIN = new Date('2026-01-01T00:00:00Z')
const ALL: SessionQuery = { limit: 100, offset: 0 }
const HALF_OF_A_PAIR = '\ud800'
const LONG = `${HALF_OF_A_PAIR}${'x'.repeat(2 * 1024 * 1024)}`

const session = (id: string, more: Partial<NewSession> = {}): NewSession => ({
  ...{ id, origin: 'client-api-runbooks', verb: 'exec', user: 'ann', connection: 'db' },
  ...{ connectionType: 'custom', startedAt: BEGIN, script: Buffer.from(''), labels: {}, metadata: {} },
  ...more,
})
const OF_GATEWAY = { runbookFile: 'a.sh', runbookRepository: 'rb', runbookTitle: 'A' }
const SESSIONS = [
  session('short', { labels: { a: 'b' }, metadata: { n: 1 } }),
  session('parameters', {
    labels: { ...OF_GATEWAY, runbookParameters: LONG, note: 'n' },
    metadata: { n: 1 },
  }),
  session('metadata', { labels: { note: 'n' }, metadata: { long: LONG }, correlationId: 'c' }),
  session('batch', { labels: OF_GATEWAY, sessionBatchId: LONG }),
]

function inFile<T>(work: (db: Connection) => T): T {
  const { db } = openFile(file, undefined)
  try {
    return work(db)
  } finally {
    closeFile(db)
  }
}

function inHistory<T>(work: (history: History) => T): T {
  const history = openHistory(file)
  try {
    return work(history)
  } finally {
    history.close()
  }
}

function fill(): void {
  inHistory((history) => {
    for (const one of SESSIONS) history.begin(one)
  })
}

const rows = () =>
  inFile((db) => [
    db.prepare('SELECT id, request, recorded_bytes FROM sessions ORDER BY key').raw().all([]),
    db.prepare('SELECT session, request FROM whole_requests ORDER BY session').raw().all([]),
  ])
const listed = () =>
  inHistory((history) =>
    history
      .list(ALL)
      .sessions.map(({ id, labels, metadata, sessionBatchId, isShort }) => ({
        ...{ id, labels, metadata, sessionBatchId, isShort },
      }))
      .toReversed(),
  )
const whole = () =>
  inHistory((history) =>
    SESSIONS.map(({ id }) => {
      const { labels, metadata, sessionBatchId, isShort } = history.session(id) ?? {}
      return { labels, metadata, sessionBatchId, isShort }
    }),
  )

describe('a long request', () => {
  it('is listed with the short labels of the gateway alone, and says so', () => {
    fill()
    expect(listed()).toEqual([
      { id: 'short', labels: { a: 'b' }, metadata: { n: 1 } },
      { id: 'parameters', labels: OF_GATEWAY, metadata: {}, isShort: true },
      { id: 'metadata', labels: {}, metadata: {}, isShort: true },
      { id: 'batch', labels: OF_GATEWAY, metadata: {}, isShort: true },
    ])
  })

  it('is shown whole for a single session', () => {
    fill()
    expect(whole()).toEqual(
      SESSIONS.map(({ labels, metadata, sessionBatchId }) => ({ labels, metadata, sessionBatchId })),
    )
  })

  it('is exported whole up to 64 KiB', () => {
    const labels = { note: 'n'.repeat(60_000) }
    inHistory((history) => {
      history.begin(session('exported', { labels }))
      history.begin(session('too-long', { labels: { ...OF_GATEWAY, note: 'n'.repeat(70_000) } }))
      const found = [...history.walk(ALL, 0)].flat()
      expect(found.map((one) => [one.session.labels, one.session.isShort])).toEqual([
        [labels, undefined],
        [OF_GATEWAY, true],
      ])
    })
  })

  it('counts as whole for the space of its user, and can become short and long again', () => {
    fill()
    const bytes = () =>
      inFile(
        (db) =>
          db.prepare('SELECT recorded_bytes FROM sessions ORDER BY key').raw().all([]).flat() as number[],
      )
    const begun = bytes()
    expect(begun[1]).toBeGreaterThan(LONG.length)
    const set = (metadata: NewSession['metadata']) =>
      inHistory((history) => history.setMetadata('metadata', metadata))
    set({ n: 2 })
    expect(listed()[2]).toEqual({ id: 'metadata', labels: { note: 'n' }, metadata: { n: 2 } })
    expect(bytes()[2]).toBeLessThan(2048)
    set({ long: LONG })
    expect(whole()[2]?.metadata).toEqual({ long: LONG })
    // Each opening of the history ends the open sessions with the same text, which counts for all of them.
    const added = new Set(bytes().map((count, at) => count - (begun[at] ?? 0)))
    expect(added.size).toBe(1)
  })

  it('is removed with its session', () => {
    fill()
    expect(inHistory((history) => removeOlder(history, new Date('2026-02-01')))).toBe(SESSIONS.length)
    expect(rows()).toEqual([[], []])
  })

  it('of an older file is the same after its update', () => {
    fill()
    const before = rows()
    inFile((db) =>
      db.exec(`UPDATE sessions SET request = (SELECT w.request FROM whole_requests w WHERE w.session = key)
                 WHERE key IN (SELECT session FROM whole_requests);
               DROP TRIGGER whole_requests_of_removed_sessions; DROP TABLE whole_requests; ${VERSION_28}`),
    )
    expect(rows()).toEqual(before)
  })

  it('of an older file is left as it is, if the program cannot read it', () => {
    fill()
    inFile((db) =>
      db.exec(`DROP TRIGGER whole_requests_of_removed_sessions; DROP TABLE whole_requests;
               UPDATE sessions SET request = '{' || hex(zeroblob(10000)) WHERE id = 'batch'; ${VERSION_28}`),
    )
    const found = rows()[0]?.find((row) => (row as [string])[0] === 'batch') as [string, string]
    expect(found[1]).toHaveLength(20_001)
  })
})
