import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'libsql'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { History } from '../../../src/gateway/history/history.ts'
import { closeFile, openFile } from '../../../src/gateway/history/sqlite.ts'

let folder: string
let path: string

// The first use of libsql starts its threads, which keep a pair of sockets for as long as the process lives.
beforeAll(() => void new Database(':memory:').close())

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'history-'))
  path = join(folder, 'history.db')
})
afterEach(() => rmSync(folder, { recursive: true }))

/** As the first version of the program wrote it, word for word. */
const VERSION_1 = `
  CREATE TABLE history.sessions (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL CHECK (status IN ('open', 'done')),
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    exit_code INTEGER,
    truncated_bytes INTEGER NOT NULL DEFAULT 0,
    request TEXT NOT NULL
  );
  CREATE INDEX history.sessions_by_end ON sessions (ended_at);
  CREATE TABLE history.events (
    key INTEGER PRIMARY KEY,
    session INTEGER NOT NULL REFERENCES sessions (key) ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('s', 'i', 'o', 'e')),
    seconds REAL NOT NULL,
    bytes BLOB NOT NULL
  );
  CREATE INDEX history.events_by_session ON events (session);
  PRAGMA history.user_version = 1;`

const REQUEST = {
  ...{ origin: 'client-api', verb: 'exec', connection: 'pg', connectionType: 'database' },
  ...{ connectionSubtype: 'postgres', user: 'ann', labels: { a: "it's" }, metadata: { n: [1, null] } },
  ...{ sessionBatchId: 'batch 1', correlationId: 'c-1' },
}
const plain = { ...REQUEST, user: 'bob', sessionBatchId: undefined, correlationId: undefined }

function write(work: (db: ReturnType<typeof openFile>['db']) => void): void {
  const { db } = openFile(path, undefined)
  try {
    work(db)
  } finally {
    closeFile(db)
  }
}

function writeVersion1(): void {
  write((db) => {
    db.exec(VERSION_1)
    const session = db.prepare('INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
    session.run([1, 's1', 'done', 1000, 2000, 3, 5, JSON.stringify(REQUEST)])
    session.run([2, 's2', 'open', 3000, null, null, 0, JSON.stringify(plain)])
    const event = db.prepare('INSERT INTO events (session, kind, seconds, bytes) VALUES (?, ?, ?, ?)')
    event.run([1, 's', 0, Buffer.from('select 1')])
    event.run([1, 'i', 0.5, Buffer.from('select 1')])
    event.run([1, 'o', 1, Buffer.from([0, 255, 10])])
    event.run([1, 'e', 1, Buffer.from('reason')])
    event.run([2, 'o', 4, Buffer.from('so far')])
  })
}

function query(sql: string): unknown[] {
  const rows: unknown[] = []
  write((db) => rows.push(...db.prepare(sql).raw().all([])))
  return rows
}

const tables = () => query('SELECT name, sql FROM history.sqlite_master WHERE sql IS NOT NULL ORDER BY name')

test('a file of version 1 is brought up to date and loses nothing', () => {
  writeVersion1()
  const history = History.open(path)
  try {
    expect(history.session('s1')).toStrictEqual({
      ...{ ...REQUEST, id: 's1', status: 'done', exitCode: 3 },
      ...{
        startedAt: new Date(1000),
        endedAt: new Date(2000),
        truncatedBytes: 5,
        redactedBytes: 0,
        outputBytes: 9,
      },
    })
    expect(Buffer.concat([...history.script('s1')]).toString()).toBe('select 1')
    expect([...history.events('s1', 'terminal')]).toStrictEqual([
      { seconds: 0.5, kind: 'i', bytes: Buffer.from('select 1') },
      { seconds: 1, kind: 'o', bytes: Buffer.from([0, 255, 10]) },
      { seconds: 1, kind: 'e', bytes: Buffer.from('reason') },
    ])
    // It was running when the gateway of version 1 went.
    expect(history.session('s2')).toMatchObject({ status: 'done', exitCode: 254, user: 'bob' })
    expect(history.output('s2', 100).bytes.toString()).toMatch(/^so far.*gateway stopped/)
  } finally {
    history.close()
  }
  expect(
    query(
      'SELECT id, user, connection, connection_type, correlation_id, batch_id FROM sessions ORDER BY key',
    ),
  ).toEqual([
    ['s1', 'ann', 'pg', 'database', 'c-1', 'batch 1'],
    ['s2', 'bob', 'pg', 'database', null, null],
  ])
  expect(query('PRAGMA history.integrity_check')).toEqual([['ok']])
})

test('what sessions of an older version take up is counted, and the time is believed up to the newest of them', () => {
  writeVersion1()
  History.open(path).close()
  const request = (text: object) => Buffer.byteLength(JSON.stringify(text))
  // 1024 for a session, 128 for each of its events; the second one got a text about its end.
  expect(query('SELECT recorded_bytes FROM sessions ORDER BY key')).toEqual([
    [1024 + request(REQUEST) + 4 * 128 + 8 + 8 + 3 + 6],
    [1024 + request(plain) + 2 * 128 + 6 + 'gateway stopped while the session was running'.length],
  ])
  expect(query('SELECT trusted_at, proven_ms FROM clock')).toEqual([[3000, 0]])
})

test('a file that was brought up to date is the same as a new one, and takes sizes of terminals', () => {
  History.open(path).close()
  const fresh = tables()
  rmSync(path)
  writeVersion1()
  const history = History.open(path)
  try {
    history.begin({ ...REQUEST, id: 's3', origin: 'client', script: Buffer.alloc(0), startedAt: new Date() })
    history.append('s3', 'r', Buffer.from('80x24'), 0)
    history.finish('s3', { exitCode: 0, truncatedBytes: 0, masking: '{}', endedAt: new Date() })
    expect([history.session('s1')?.masking, history.session('s3')?.masking]).toEqual([undefined, '{}'])
    expect([...history.events('s3', 'terminal')].map(({ kind }) => kind)).toEqual(['r'])
  } finally {
    history.close()
  }
  expect(tables()).toEqual(fresh)
  expect(query('PRAGMA history.user_version')).toEqual([[9]])
})

test('a file that cannot be brought up to date stays as it was', () => {
  writeVersion1()
  write((db) => db.exec('CREATE TABLE history.sessions_by_user (in_the_way TEXT)'))
  const before = tables()
  expect(() => History.open(path)).toThrow(/sessions_by_user/)
  expect(tables()).toEqual(before)
  expect(query('SELECT count(*) FROM sessions')).toEqual([[2]])
})

test('texts that a column cannot hold are whole in the session', () => {
  const history = History.open(path)
  try {
    const sessionBatchId = 'batch\0\ud800 tail'
    history.begin({
      ...REQUEST,
      id: 's1',
      origin: 'client',
      sessionBatchId,
      script: Buffer.alloc(0),
      startedAt: new Date(),
    })
    expect(history.session('s1')?.sessionBatchId).toBe(sessionBatchId)
  } finally {
    history.close()
  }
})
