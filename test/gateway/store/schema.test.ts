import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'libsql'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { LAYOUT, openHistory } from '../../../src/gateway/rooms.ts'
import { updateSchema } from '../../../src/gateway/store/store.ts'
import { closeFile, openFile, type Connection } from '../../../src/gateway/store/sqlite.ts'
import { dump } from '../../fixtures/history/dump.mjs'

let folder: string
let path: string

// The first use of libsql starts its threads, which keep a pair of sockets for as long as the process lives.
beforeAll(() => void new Database(':memory:').close())

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'history-'))
  path = join(folder, 'history.db')
})
afterEach(() => rmSync(folder, { recursive: true }))

/** Files as programs of older versions wrote them, by version. */
const frozen = new Map(
  readdirSync(fixture('')).flatMap((name): [number, string][] => {
    const [, version] = /^version-(\d+)\.sql$/.exec(name) ?? []
    return version === undefined ? [] : [[Number(version), readFileSync(fixture(name), 'utf8')]]
  }),
)
const { steps: STEPS } = LAYOUT
const versions = STEPS.map((_, i) => i + 1)

function fixture(name: string): string {
  return join(import.meta.dirname, '../../fixtures/history', name)
}

/** Makes the file of this version: the frozen one, or else the last one before it, brought up to this version. */
function writeVersion(version: number): void {
  const last = Math.max(...[...frozen.keys()].filter((one) => one <= version))
  const plain = new Database(path)
  plain.exec(`PRAGMA synchronous = OFF; BEGIN; ${frozen.get(last) ?? ''} COMMIT`)
  plain.close()
  if (last < version) write((db) => updateSchema(db, STEPS.slice(0, version)))
}

function write<T>(work: (db: Connection) => T): T {
  const { db } = openFile(path, undefined)
  try {
    return work(db)
  } finally {
    closeFile(db)
  }
}

const all = (db: Connection, sql: string): unknown[][] => db.prepare(sql).raw().all([]) as unknown[][]
const query = (sql: string) => write((db) => all(db, sql))
const tablesOf = (db: Connection, schema = 'history') =>
  all(db, `SELECT name, sql FROM ${schema}.sqlite_master WHERE sql IS NOT NULL ORDER BY name`)
const tables = () => write((db) => tablesOf(db))

/** What the steps make of nothing, without a file. */
function madeBy(steps: readonly string[]): unknown {
  const db = new Database(':memory:')
  db.exec("ATTACH ':memory:' AS history")
  updateSchema(db, steps)
  return tablesOf(db)
}

/** All tables with the columns that they have now. */
function columnsOf(db: Connection): Map<string, string> {
  const names = all(db, "SELECT name FROM history.sqlite_master WHERE type = 'table'").flat().map(String)
  const columns = (table: string) => all(db, `SELECT name FROM pragma_table_info('${table}', 'history')`)
  return new Map(names.map((table) => [table, columns(table).join()]))
}

function rowsOf(db: Connection, columns: ReadonlyMap<string, string>): unknown {
  return [...columns].map(([table, names]) => [table, all(db, `SELECT ${names} FROM history.${table}`)])
}

const REQUEST = {
  ...{ origin: 'client-api', verb: 'exec', connection: 'pg', connectionType: 'database' },
  ...{ connectionSubtype: 'postgres', user: 'ann', labels: { a: "it's" }, metadata: { n: [1, null] } },
  ...{ sessionBatchId: 'batch 1', correlationId: 'c-1' },
}
const plain = { ...REQUEST, user: 'bob', metadata: {}, sessionBatchId: undefined, correlationId: undefined }

describe.each(versions)('a file of version %i', (version) => {
  test('is brought up to date as if it was new, and loses nothing', () => {
    writeVersion(version)
    write((db) => {
      const columns = columnsOf(db)
      const before = rowsOf(db, columns)
      updateSchema(db, STEPS)
      expect(rowsOf(db, columns)).toEqual(before)
      expect(tablesOf(db)).toEqual(madeBy(STEPS))
      expect(all(db, 'PRAGMA history.integrity_check')).toEqual([['ok']])
      expect(all(db, 'PRAGMA history.user_version')).toEqual([[STEPS.length]])
    })
  })

  test('is read as the program that wrote it has read it, and what waits for people waits on', () => {
    writeVersion(version)
    const history = openHistory(path)
    try {
      expect(history.session('s1')).toStrictEqual({
        ...{ ...REQUEST, id: 's1', status: 'done', exitCode: 3 },
        // When its command began is unknown.
        ...{ startedAt: new Date(1000), clockAt: new Date(1000), endedAt: new Date(2000) },
        ...{ truncatedBytes: 5, outputBytes: 9 },
        redactedBytes: version >= 3 ? 10 : 0,
        ...(version >= 5 && { guardrails: '[{"rule":"drops"}]' }),
        ...(version >= 8 && { issue: ISSUE }),
        ...(version >= 9 && { masking: '{"err_count":0}' }),
      })
      expect(Buffer.concat([...history.script('s1')]).toString()).toBe('select 1')
      expect([...history.events('s1', 'terminal')]).toStrictEqual([
        { seconds: 0.5, kind: 'i', bytes: Buffer.from('select 1') },
        { seconds: 1, kind: 'o', bytes: Buffer.from([0, 255, 10]) },
        { seconds: 1, kind: 'e', bytes: Buffer.from('reason') },
        ...(version >= 2 ? [{ seconds: 1.5, kind: 'r', bytes: Buffer.from('80x24') }] : []),
      ])
      // It was running when the gateway of that version went.
      expect(history.session('s2')).toMatchObject({
        ...{ status: 'done', exitCode: 254, user: 'bob', cause: { code: 'gateway-lost' } },
      })
      expect(history.output('s2', 100).bytes.toString()).toMatch(/^so far.*gateway stopped/)
      if (version < 7) return
      expect(history.session('s3')).toMatchObject({
        status: 'open',
        review: { id: 'r-3', status: 'PENDING' },
      })
      expect(history.read(({ reviews }) => reviews.request('r-3'))).toEqual(Buffer.from('sealed'))
      expect(history.read(({ reviews }) => reviews.list({ name: 'eve', groups: ['dba'] }))).toHaveLength(1)
    } finally {
      history.close()
    }
  })
})

const ISSUE = {
  ...{ key: 'OPS-7', url: 'https://jira.example/browse/OPS-7' },
  move: { status: 'pending', attempts: 2, error: 'busy' },
}

test.each([...frozen])('the steps to version %i have not changed since it was frozen', (version, sql) => {
  const db = new Database(':memory:')
  db.exec(sql)
  expect(madeBy(STEPS.slice(0, version))).toEqual(tablesOf(db, 'main'))
})

test('what was made by a program of an older version is written down again as it was', () => {
  writeVersion(9)
  expect(write((db) => dump(db))).toBe(frozen.get(9))
})

test('what sessions of an older version take up is counted, and the time is believed up to the newest of them', () => {
  writeVersion(1)
  openHistory(path).close()
  const request = (text: object) => Buffer.byteLength(JSON.stringify(text))
  // 1024 for a session, 128 for each of its events; the second one got a text about its end.
  expect(query('SELECT recorded_bytes FROM sessions ORDER BY key')).toEqual([
    [1024 + request(REQUEST) + 4 * 128 + 8 + 8 + 3 + 6],
    [1024 + request(plain) + 2 * 128 + 6 + 'gateway stopped while the session was running'.length],
  ])
  expect(query('SELECT trusted_at, proven_ms FROM clock')).toEqual([[3000, 0]])
})

test('the columns that searches use are filled from what an older version has stored', () => {
  writeVersion(1)
  openHistory(path).close()
  expect(
    query(
      'SELECT id, user, connection, connection_type, correlation_id, batch_id FROM sessions ORDER BY key',
    ),
  ).toEqual([
    ['s1', 'ann', 'pg', 'database', 'c-1', 'batch 1'],
    ['s2', 'bob', 'pg', 'database', null, null],
  ])
})

test('a file of an older version gets the folds, ends and titles by which a list is searched', () => {
  writeVersion(31)
  write((db) => {
    const insert = (id: string, labels: object, more: string, values: string) =>
      db.exec(`INSERT INTO sessions (id, status, started_at, request, user, connection, runbook, ${more})
        VALUES ('${id}', 'done', 1, '${JSON.stringify({ labels })}', 'ann', 'pg', 'pay.runbook.sh', ${values})`)
    insert('in-batch', {}, 'batch_id', `'b-1'`)
    insert('scheduled', { runbookSchedule: 'health' }, 'cause', `'{"code":"policy"}'`)
    insert('titled', { runbookTitle: 'Refund AN order' }, 'guardrails_info', `'[]'`)
    insert('revoked', {}, 'cause', `'{"code":"access-ended","by":"bea"}'`)
  })
  openHistory(path).close()
  expect(query(`SELECT id, fold, end_code FROM sessions WHERE user = 'ann' AND runbook IS NOT NULL`)).toEqual(
    [
      ['in-batch', 'bb-1', null],
      ['scheduled', 'shealth', 'policy'],
      ['titled', null, 'guardrails'],
      ['revoked', null, 'revoked'],
    ],
  )
  expect(query('SELECT text, title FROM session_values WHERE title IS NOT NULL')).toEqual([
    ['', 'refund an order'],
  ])
})

test('a file of an older version gets the reasons that are searched, of sessions with and without values', () => {
  writeVersion(33)
  const insert = (id: string, request: object) =>
    write((db) =>
      db.exec(`INSERT INTO sessions (id, status, started_at, request, user, connection)
        VALUES ('${id}', 'done', 1, '${JSON.stringify(request)}', 'ann', 'pg')`),
    )
  for (const id of ['script', 'valued', 'without'])
    insert(id, id === 'without' ? {} : { reason: `OPS-7 ${id}` })
  write((db) =>
    db.exec(`INSERT INTO session_values (session, text, is_cut, title)
      SELECT key, 'eu', 0, 'a title' FROM sessions WHERE id = 'valued'`),
  )
  openHistory(path).close()
  expect(query('SELECT text, title, reason FROM session_values WHERE reason IS NOT NULL')).toEqual([
    ['', null, 'ops-7 script'],
    ['eu', 'a title', 'ops-7 valued'],
  ])
})

test('a file that was brought up to date takes sizes of terminals', () => {
  writeVersion(1)
  const history = openHistory(path)
  try {
    history.begin({ ...REQUEST, id: 's3', origin: 'client', script: Buffer.alloc(0), startedAt: new Date() })
    history.append('s3', 'r', Buffer.from('80x24'), 0)
    history.finish('s3', { exitCode: 0, truncatedBytes: 0, masking: '{}', endedAt: new Date() })
    expect(history.session('s3')?.masking).toBe('{}')
    expect([...history.events('s3', 'terminal')].map(({ kind }) => kind)).toEqual(['r'])
  } finally {
    history.close()
  }
})

test('a file that cannot be brought up to date stays as it was', () => {
  writeVersion(1)
  write((db) => db.exec('CREATE TABLE history.sessions_by_user (in_the_way TEXT)'))
  const before = tables()
  expect(() => openHistory(path)).toThrow(/sessions_by_user/)
  expect(tables()).toEqual(before)
  expect(query('SELECT count(*) FROM sessions')).toEqual([[2]])
})

test('a text that a column cannot hold is whole in the session', () => {
  const history = openHistory(path)
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
