import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'libsql'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { HistoryDatabase } from '../../../src/gateway/history/database.ts'
import { ROOMS } from '../../../src/gateway/rooms.ts'
import { HistoryError } from '../../../src/gateway/store/errors.ts'

let folder: string
let path: string
let opened: HistoryDatabase[]

// The first use of libsql starts its threads, which keep a pair of sockets for as long as the process lives.
beforeAll(() => void new Database(':memory:').close())

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'history-'))
  path = join(folder, 'state', 'history.db')
  opened = []
})

afterEach(() => {
  for (const database of opened) database.close()
  rmSync(folder, { recursive: true })
})

function open(): HistoryDatabase {
  const database = new HistoryDatabase(path, ROOMS, undefined)
  opened.push(database)
  return database
}

const ROW = {
  ...{ id: 's1', startedAt: 1000, request: '{}' },
  ...{ user: 'u', connection: 'c', connectionType: 'custom' },
  ...({ origin: 'client-api', verb: 'exec', labels: {} } as const),
}
const mode = (file: string) => statSync(file).mode & 0o777

/** In a process of its own: is the lock free there, too? */
function lockElsewhere(): string {
  const code = `
    const Database = require('libsql')
    try { new Database(process.argv[1]).exec('BEGIN EXCLUSIVE'); console.log('free') }
    catch (error) { console.log(error.code) }`
  return spawnSync(process.execPath, ['-e', code, `${path}.lock`], { encoding: 'utf8' }).stdout.trim()
}

describe('the files', () => {
  test('are for their owner alone, whatever the umask', () => {
    const before = process.umask(0)
    try {
      open().insert(ROW, [])
    } finally {
      process.umask(before)
    }
    const state = join(folder, 'state')
    expect(mode(state)).toBe(0o700)
    expect(readdirSync(state).sort()).toEqual([
      'history.db',
      'history.db-shm',
      'history.db-wal',
      'history.db.lock',
    ])
    for (const name of readdirSync(state)) expect([name, mode(join(state, name))]).toEqual([name, 0o600])
  })

  test('that others could read are closed to them when opened', () => {
    open().close()
    chmodSync(path, 0o644)
    open()
    expect(mode(path)).toBe(0o600)
  })
})

describe('a link in place of', () => {
  test.each(['', '.lock', '-wal', '-shm', '-journal'])(
    'history.db%s is refused, and what it leads to stays as it is',
    (suffix) => {
      mkdirSync(join(folder, 'state'), { mode: 0o700 })
      const elsewhere = join(folder, 'elsewhere')
      writeFileSync(elsewhere, 'mine', { mode: 0o644 })
      symlinkSync(elsewhere, `${path}${suffix}`)
      expect(() => open()).toThrow(`history.db${suffix} is a symbolic link`)
      expect([readFileSync(elsewhere, 'utf8'), mode(elsewhere)]).toEqual(['mine', 0o644])
      rmSync(`${path}${suffix}`)
      open()
    },
  )
})

test('a folder that others can write to is refused', () => {
  mkdirSync(join(folder, 'state'))
  chmodSync(join(folder, 'state'), 0o777)
  expect(() => open()).toThrow(/cannot create its folder: .*state can be written to by other users/)
  expect(readdirSync(join(folder, 'state'))).toEqual([])
})

describe('a second gateway on the same file', () => {
  test('is refused in the same process and leaves the first alone', () => {
    const first = open()
    first.insert(ROW, [])
    expect(() => open()).toThrow(HistoryError)
    expect(() => open()).toThrow(/history\.db: cannot lock it: another gateway is using it/)
    expect(first.row('s1')?.status).toBe('open')
    expect(lockElsewhere()).toBe('SQLITE_BUSY')
  })

  test('is refused in another process, until the first has closed', () => {
    const first = open()
    expect(lockElsewhere()).toBe('SQLITE_BUSY')
    first.close()
    expect(lockElsewhere()).toBe('free')
  })

  test('may come after one that could not open the file', () => {
    open().close()
    writeFileSync(path, 'this is no database at all, and long enough to have a header'.repeat(10))
    expect(() => open()).toThrow(/not a database; .*runbook-agent history repair/)
    expect(lockElsewhere()).toBe('free')
  })

  test('may come after one that was killed', () => {
    open().close()
    const code = `
      const Database = require('libsql')
      const db = new Database(process.argv[1])
      db.exec('BEGIN EXCLUSIVE')
      process.kill(process.pid, 'SIGKILL')`
    const killed = spawnSync(process.execPath, ['-e', code, `${path}.lock`])
    expect(killed.signal).toBe('SIGKILL')
    open().insert(ROW, [])
  })
})

describe('a file that is not ours', () => {
  function foreign(sql: string): void {
    open().close()
    rmSync(path)
    const db = new Database(path)
    db.exec(sql)
    db.close()
  }

  test('of a newer version is refused and left as it is', () => {
    foreign('PRAGMA user_version = 99')
    expect(() => open()).toThrow(
      /newer version of this program \(schema 99; this program supports schemas up to \d+\)/,
    )
    const db = new Database(path)
    expect(db.prepare('PRAGMA user_version').raw().get([])).toEqual([99])
    db.close()
  })

  test('of another program is refused', () => {
    foreign('CREATE TABLE recipes (name TEXT)')
    expect(() => open()).toThrow(/belongs to another program/)
  })

  test('that cannot be created is an error with the path', () => {
    writeFileSync(join(folder, 'state'), '')
    expect(() => open()).toThrow(/state\/history\.db: cannot create its folder: /)
    expect(existsSync(path)).toBe(false)
  })
})

describe('rows', () => {
  test('are all written or none of them', () => {
    const database = open()
    database.insert(ROW, [Buffer.from('input')])
    const good = { kind: 'o', seconds: 1, bytes: Buffer.from('x') } as const
    expect(() => database.append('s1', [good, { ...good, seconds: NaN }])).toThrow(HistoryError)
    expect([...database.events(1, 'stream')]).toEqual([])
    database.append('s1', [good])
    expect([...database.events(1, 'stream')]).toEqual([good])
    expect([...database.input(1)].join('')).toBe('input')
  })

  test('can be written while the reading of others has been left in the middle', () => {
    const database = open()
    database.insert(ROW, [])
    const event = { kind: 'o', seconds: 1, bytes: Buffer.from('x') } as const
    database.append(
      's1',
      Array.from({ length: 40 }, () => event),
    )
    const reading = database.events(1, 'output')
    expect(reading.next().value).toEqual(event)
    database.append('s1', [event])
    expect([...reading]).toHaveLength(40)
  })
})
