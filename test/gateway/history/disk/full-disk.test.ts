import { signalChild } from '../../../../src/basics/signals.ts'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import Database from 'libsql'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { History } from '../../../../src/gateway/history/history.ts'
import { openHistory } from '../../../../src/gateway/rooms.ts'
import { SmallDisk } from '../../../support/machine/small-disk.ts'
import { translate } from '../../../support/machine/translate.ts'

const canMount = process.geteuid?.() === 0 && SmallDisk.permitted()
const SESSIONS = 500

let disk: SmallDisk
let opened: History[]

// The first use of libsql starts its threads, which keep a pair of sockets for as long as the process lives.
beforeAll(() => void new Database(':memory:').close())

const path = () => join(disk.path, 'history.db')

function open(): History {
  const history = openHistory(path(), { flushAfterMs: 3_600_000 })
  opened.push(history)
  return history
}

function begin(history: History, id: string): void {
  history.begin({
    ...{ id, origin: 'client-api', verb: 'exec', connection: 'bash', connectionType: 'command-line' },
    ...{ user: 'ann', script: Buffer.from('x'), labels: {}, metadata: {}, startedAt: new Date() },
  })
}

const end = (exitCode: number) => ({ exitCode, truncatedBytes: 0, endedAt: new Date() })

function query(sql: string): unknown[] {
  const db = new Database(':memory:')
  db.exec(`ATTACH '${path()}' AS history`)
  try {
    return db.prepare(sql).raw().all([])
  } finally {
    db.exec('DETACH history')
    db.close()
  }
}

const codes = (history: History) =>
  Array.from({ length: SESSIONS }, (_, i) => history.session(`s${i}`)).map((found) => [
    found?.status,
    found?.exitCode,
  ])
const EXPECTED = Array.from({ length: SESSIONS }, (_, i) => ['done', i % 256])

/** A process that has begun 500 sessions, and ends them when its stdin ends. */
class Killable implements Disposable {
  readonly #root = mkdtempSync(join(tmpdir(), 'full-disk-'))
  readonly #child: ChildProcess

  constructor() {
    translate(this.#root, ['basics', 'contract', 'gateway', 'wire'])
    symlinkSync(resolve(import.meta.dirname, '../../../../node_modules'), join(this.#root, 'node_modules'))
    writeFileSync(
      join(this.#root, 'main.js'),
      `import { readFileSync, writeSync } from 'node:fs'
       import { openHistory } from './gateway/rooms.js'
       const history = openHistory(process.argv[2])
       const request = { origin: 'client', verb: 'exec', connection: 'c', connectionType: 't', user: 'ann', labels: {}, metadata: {} }
       for (let i = 0; i < ${SESSIONS}; i++)
         history.begin({ ...request, id: 's' + i, script: Buffer.from('x'), startedAt: new Date() })
       writeSync(1, 'begun')
       readFileSync(0)
       for (let i = 0; i < ${SESSIONS}; i++) {
         history.append('s' + i, 'o', Buffer.alloc(100_000, 'o'), 1)
         try { history.finish('s' + i, { exitCode: i % 256, truncatedBytes: 0, endedAt: new Date() }) } catch {}
       }
       writeSync(1, 'ended')
       process.kill(process.pid, 'SIGKILL')`,
    )
    this.#child = spawn(process.execPath, [join(this.#root, 'main.js'), path()], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
  }

  async begun(): Promise<void> {
    const failed = once(this.#child, 'exit').then(() => Promise.reject(new Error('it ended before it began')))
    failed.catch(() => undefined)
    await Promise.race([once(this.#child.stdout ?? this.#child, 'data'), failed])
  }

  async endThemAndDie(): Promise<void> {
    this.#child.stdin?.end()
    expect(await once(this.#child, 'exit')).toEqual([null, 'SIGKILL'])
  }

  [Symbol.dispose](): void {
    signalChild(this.#child, 'SIGKILL')
    rmSync(this.#root, { recursive: true })
  }
}

describe.skipIf(!canMount)('a full disk (needs mount)', () => {
  beforeEach(() => {
    disk = new SmallDisk('7M')
    opened = []
  })
  afterEach(() => {
    for (const history of opened) history.close()
    disk[Symbol.dispose]()
  })

  test('the ends of 500 sessions survive kill -9 and a start on the full disk, and are written when there is room', async () => {
    using killable = new Killable()
    await killable.begun()
    disk.fill()
    await killable.endThemAndDie()
    disk.fill()
    const history = open()
    expect(history.obstacle).toBe('the disk is full')
    expect(codes(history)).toEqual(EXPECTED)
    expect(() => begin(history, 'new')).toThrow(
      expect.objectContaining({ noRoom: expect.any(String) as string }) as Error,
    )
    disk.free()
    history.recover()
    expect(history.obstacle).toBeUndefined()
    begin(history, 'new')
    history.close()
    expect(query(`SELECT count(*) FROM sessions WHERE status = 'open'`)).toEqual([[1]])
    expect(query('SELECT exit_code FROM sessions WHERE exit_code IS NOT NULL ORDER BY key')).toEqual(
      EXPECTED.map(([, code]) => [code]),
    )
    expect(query('PRAGMA history.integrity_check')).toEqual([['ok']])
    expect(codes(open())).toEqual(EXPECTED)
  })

  test('a history that was closed in good order is read, others may look at it again when there is room', () => {
    const first = open()
    begin(first, 's1')
    first.append('s1', 'o', Buffer.from('output'), 1)
    first.finish('s1', end(7))
    first.close()
    expect(existsSync(`${path()}-shm`)).toBe(false)
    disk.fill()
    const history = open()
    expect(history.session('s1')).toMatchObject({ status: 'done', exitCode: 7 })
    expect(history.output('s1', 100).bytes.toString()).toBe('output')
    expect(() => begin(history, 's2')).toThrow(/free some space/)
    history.recover()
    expect(history.obstacle).toBe('the disk is full')
    disk.free()
    history.recover()
    expect(history.obstacle).toBeUndefined()
    begin(history, 's2')
    expect(query('SELECT id FROM sessions ORDER BY key')).toEqual([['s1'], ['s2']])
  })

  test('output that was not recorded is said, and the end is told as safe', () => {
    const history = open()
    begin(history, 's1')
    begin(history, 's2')
    disk.fill()
    history.append('s1', 'o', Buffer.alloc(300_000, 'x'), 1)
    expect(() => history.finish('s1', end(3))).toThrow(/300000 bytes of its output are not in the history/)
    expect(history.output('s1', 100)).toEqual({ bytes: Buffer.alloc(0), truncated: true })
    history.finish('s2', end(4))
    expect(history.session('s2')).toMatchObject({ exitCode: 4, truncatedBytes: 0 })
  })

  test('no session begins without a reserve, which is made as soon as there is room for it', () => {
    open().close()
    rmSync(`${path()}.ends`)
    disk.fill()
    const history = open()
    expect(history.obstacle).toBe('the disk is full')
    disk.free()
    history.recover()
    begin(history, 's1')
    expect(statSync(`${path()}.ends`).size).toBe(512_000)
    expect(statSync(`${path()}.ends`).mode & 0o777).toBe(0o600)
  })

  test('where there never was room for a history, reads and sessions are refused until there is', () => {
    disk.fill()
    const history = open()
    expect(() => history.session('s1')).toThrow(
      expect.objectContaining({ noRoom: expect.any(String) as string }) as Error,
    )
    expect(() => begin(history, 's1')).toThrow(
      expect.objectContaining({ noRoom: expect.any(String) as string }) as Error,
    )
    disk.free()
    history.recover()
    begin(history, 's1')
    expect(history.session('s1')?.status).toBe('open')
  })
})

describe.skipIf(!canMount)('a read-only disk (needs mount)', () => {
  beforeEach(() => {
    disk = new SmallDisk('7M')
    opened = []
  })
  afterEach(() => {
    for (const history of opened) history.close()
    disk.makeWritable()
    disk[Symbol.dispose]()
  })

  test('what is there is read, and sessions begin when it can be written again', () => {
    const first = open()
    begin(first, 's1')
    first.finish('s1', end(7))
    first.close()
    disk.makeReadOnly()
    const history = open()
    expect(history.obstacle).toBe('the disk is read-only')
    expect(history.session('s1')).toMatchObject({ status: 'done', exitCode: 7 })
    expect(() => begin(history, 's2')).toThrow(
      expect.objectContaining({ noRoom: expect.any(String) as string }) as Error,
    )
    history.recover()
    expect(history.obstacle).toBe('the disk is read-only')
    disk.makeWritable()
    history.recover()
    expect(history.obstacle).toBeUndefined()
    begin(history, 's2')
    history.close()
  })

  test('what a killed gateway left in its log is read too', async () => {
    using killable = new Killable()
    await killable.begun()
    await killable.endThemAndDie()
    disk.makeReadOnly()
    const history = open()
    expect(history.obstacle).toBe('the disk is read-only')
    expect(codes(history)).toEqual(EXPECTED)
    history.close()
  })
})
