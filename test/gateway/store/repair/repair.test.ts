import {
  copyFileSync,
  existsSync,
  linkSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import Database from 'libsql'
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import type { History } from '../../../../src/gateway/history/history.ts'
import { LAYOUT, openHistory } from '../../../../src/gateway/rooms.ts'
import { examineHistory } from '../../../../src/gateway/store/examination.ts'
import { repairHistory } from '../../../../src/gateway/operating/repair.ts'
import { SmallDisk } from '../../../support/machine/small-disk.ts'
import { Workplace } from '../../../support/sites/workplace.ts'

// A history of some hundred pages, damaged in many ways. What is not damaged must be there afterwards.

const PAGE = 4096
const SESSIONS = 30
const WHOLE = { depth: 'whole', withinMs: 60_000 } as const
/** Makes the same damage again. */
const SEED = Number(process.env['REPAIR_SEED'] ?? 1)
const ROUNDS = Number(process.env['REPAIR_ROUNDS'] ?? 4)

let place: Workplace
let sound: string
/** Kept beside it by a gateway that was killed. */
let soundLog: string
let file: string
beforeAll(() => {
  place = new Workplace()
  sound = place.at('sound.sqlite')
  const history = openHistory(sound)
  for (let number = 0; number < SESSIONS; number++) record(history, number)
  soundLog = place.at('killed.sqlite')
  for (const suffix of ['', '-wal']) copyFileSync(`${sound}${suffix}`, `${soundLog}${suffix}`)
  history.close()
})
afterAll(() => place[Symbol.dispose]())
beforeEach(() => {
  rmSync(place.at('state'), { recursive: true, force: true })
  file = place.write('state/history.sqlite', '')
  copyFileSync(sound, file)
})

function record(history: History, number: number): void {
  const id = `session-${number}`
  history.begin({
    ...{ id, origin: 'client-api', verb: 'exec', connection: 'bash', connectionType: 'command-line' },
    ...{
      user: 'ann',
      script: Buffer.from(`echo ${number}`),
      labels: {},
      metadata: {},
      startedAt: new Date(),
    },
  })
  for (let piece = 0; piece < 20; piece++) history.append(id, 'o', output(number, piece), piece)
  history.finish(id, { exitCode: 0, truncatedBytes: 0, endedAt: new Date() })
}

/** Some with pages of their own. */
function output(number: number, piece: number): Buffer {
  return Buffer.from(`${number}:${piece} `.repeat(piece === 7 ? 1500 : 10))
}

function wholeOutput(number: number): string {
  return Array.from({ length: 20 }, (_, piece) => output(number, piece).toString()).join('')
}

/** Numbers that follow from a seed (mulberry32). */
function* numbers(seed: number): Generator<number, never> {
  for (let state = seed; ;) {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    yield ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

type Damage = (bytes: Buffer, random: () => number) => Buffer | undefined

const DAMAGES: Readonly<Record<string, Damage>> = {
  'a page is zero': (bytes, random) => void pageOf(bytes, random).fill(0),
  'a page is of something else': (bytes, random) => void pageOf(bytes, random).fill('something else '),
  'bits of a page are flipped': (bytes, random) => {
    const page = pageOf(bytes, random)
    for (let flip = 0; flip < 40; flip++) {
      const at = Math.floor(random() * PAGE)
      page[at] = (page[at] ?? 0) ^ (1 << Math.floor(random() * 8))
    }
  },
  'the beginning of a page is flipped': (bytes, random) => {
    const page = pageOf(bytes, random)
    for (let at = 0; at < 16; at++) page[at] = (page[at] ?? 0) ^ 0xff
  },
  'the end is cut off': (bytes, random) =>
    bytes.subarray(0, bytes.length - Math.floor(random() * 20 + 1) * 1000),
}

/** Never the first one, which has the list of the tables. */
function pageOf(bytes: Buffer, random: () => number): Buffer {
  const page = 1 + Math.floor(random() * (bytes.length / PAGE - 1))
  return bytes.subarray(page * PAGE, (page + 1) * PAGE)
}

/** What a history says after a repair: sessions by number, and whether their output is whole. */
function survivors(): { readonly whole: number[]; readonly cut: number[]; readonly gone: string[] } {
  const history = openHistory(file)
  const found = { whole: [] as number[], cut: [] as number[], gone: [] as string[] }
  try {
    for (let number = 0; number < SESSIONS; number++) {
      const id = `session-${number}`
      const { cause } = history.session(id) ?? { cause: { code: 'gateway-lost' } }
      // The end of a session is written after its beginning. If only the end is lost, the output is, too.
      if (cause?.code === 'gateway-lost') found.gone.push(id)
      else {
        const { bytes, truncated } = history.output(id, 1e6)
        // SQLite has no sums: bytes that were altered within an output stay as they are.
        if (!truncated) expect(bytes).toHaveLength(wholeOutput(number).length)
        found[truncated ? 'cut' : 'whole'].push(number)
      }
    }
    // It is a history like any other: it can be written.
    record(history, SESSIONS)
    expect(history.output(`session-${SESSIONS}`, 1e6).bytes.toString()).toBe(wholeOutput(SESSIONS))
  } finally {
    history.close()
  }
  return found
}

it('a sound history is not touched', async () => {
  expect(await examineHistory(file, LAYOUT, WHOLE)).toMatchObject({ faults: [], unseen: [] })
  expect(await repairHistory(file)).toBeUndefined()
  expect(readdirSync(place.at('state')).toSorted()).toEqual(['history.sqlite', 'history.sqlite.lock'])
  expect(readFileSync(file).equals(readFileSync(sound))).toBe(true)
})

it.each(Object.entries(DAMAGES))(
  'what can be read is kept, and what is lost is told, when %s',
  async (name, damage) => {
    const random = numbers(SEED)
    const next = () => random.next().value
    let repaired = 0
    for (let round = 0; round < ROUNDS; round++) {
      const bytes = readFileSync(sound)
      const damaged = damage(bytes, next) ?? bytes
      for (const suffix of ['', '-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true })
      writeFileSync(file, damaged, { mode: 0o600 })
      const { faults } = await examineHistory(file, LAYOUT, WHOLE)
      if (faults.length === 0) continue
      const repair = await repairHistory(file)
      expect(repair).toBeDefined()
      if (repair === undefined) continue
      expect(readFileSync(repair.oldFile).equals(damaged)).toBe(true)
      rmSync(repair.oldFile)
      const { gone, cut, whole } = survivors()
      const told = repair.losses.flatMap(({ names }) => names)
      const { rows } = repair.losses.find(({ table }) => table === 'sessions') ?? { rows: 0 }
      const isNamed = rows !== undefined && !name.startsWith('bits')
      if (isNamed) expect(told).toEqual(expect.arrayContaining(gone))
      expect(repair.incomplete.toSorted()).toEqual(cut.map((number) => `session-${number}`).toSorted())
      expect(whole.length + cut.length + gone.length).toBe(SESSIONS)
      repaired += 1
    }
    // A page that nothing uses is no damage.
    expect(repaired).toBeGreaterThan(0)
  },
)

/** The page at which the tree of a table or an index begins. */
function rootOf(name: string): number {
  const db = new Database(sound, { readonly: true })
  try {
    const found = db.prepare('SELECT rootpage FROM sqlite_master WHERE name = ?').raw().get([name]) as [
      number,
    ]
    return found[0]
  } finally {
    db.close()
  }
}

function damagePage(number: number): void {
  const bytes = readFileSync(file)
  bytes.fill(0xff, (number - 1) * PAGE, number * PAGE)
  writeFileSync(file, bytes)
}

it.each(['sessions_by_start', 'events_by_session', 'sqlite_autoindex_sessions_1', 'audit_log_searched'])(
  'nothing is lost when only the index %s is damaged',
  async (index) => {
    damagePage(rootOf(index))
    const repair = await repairHistory(file)
    expect(repair).toMatchObject({ losses: [], incomplete: [], audit: { faults: [] } })
    expect(survivors()).toMatchObject({ gone: [], cut: [] })
  },
)

it('nothing is lost when the head of the file is damaged', async () => {
  const bytes = readFileSync(file)
  bytes.fill(0xff, 0, 100)
  writeFileSync(file, bytes)
  const repair = await repairHistory(file)
  expect(repair).toMatchObject({ losses: [], incomplete: [], audit: { faults: [] } })
  expect(survivors()).toMatchObject({ gone: [], cut: [] })
})

it('a table whose first page is damaged is given up soon, and its loss is of unknown size', async () => {
  const db = new Database(file)
  const [root] = db.prepare(`SELECT rootpage FROM sqlite_schema WHERE name = 'removals'`).raw().get([]) as [
    number,
  ]
  db.close()
  const bytes = readFileSync(file)
  bytes.fill('something else ', (root - 1) * PAGE, root * PAGE)
  writeFileSync(file, bytes)
  const prepare = vi.spyOn(Database.prototype, 'prepare')
  const repair = await repairHistory(file)
  const reads = prepare.mock.calls.filter(([sql]) => sql.includes('FROM damaged.removals')).length
  prepare.mockRestore()
  expect(repair?.losses).toEqual([expect.objectContaining({ table: 'removals', rows: undefined })])
  expect(reads).toBeLessThan(10_000)
  expect(survivors().whole).toHaveLength(SESSIONS)
})

it('each entry of the audit log that is lost is named, and the chain says so', async () => {
  const bytes = readFileSync(file)
  const db = new Database(file)
  const [, page] = db
    .prepare(
      `SELECT pageno, pageno FROM dbstat WHERE name = 'audit_log' AND pagetype = 'leaf' LIMIT 1 OFFSET 1`,
    )
    .raw()
    .get([]) as [number, number]
  db.close()
  bytes.fill(0, (page - 1) * PAGE, page * PAGE)
  for (const suffix of ['-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true })
  writeFileSync(file, bytes)
  const repair = await repairHistory(file)
  expect(repair?.losses.map(({ table }) => table)).toEqual(['audit_log'])
  expect(repair?.losses[0]?.rows).toBeGreaterThan(0)
  expect(repair?.audit?.faults).toMatchObject([{ fault: 'missing' }])
  expect(survivors()).toMatchObject({ gone: [], cut: [] })
})

it('text that is no JSON, where the program reads JSON, is damage', async () => {
  const db = new Database(file)
  db.exec("UPDATE sessions SET cause = 'x' WHERE id = 'session-3'")
  db.close()
  expect((await repairHistory(file))?.faults).toEqual(['sessions: 1 rows have invalid JSON in cause'])
  expect(survivors()).toMatchObject({ gone: ['session-3'] })
})

it('a ticket whose run has begun is kept without its request, and a start takes it for no lost request', async () => {
  const db = new Database(file)
  const columns = 'session, asked_at, gateway, request, site, project, target, moves_failed, key, has_run'
  for (const sid of ['session-3', 'session-4'])
    db.exec(
      `INSERT INTO jira_issues (${columns}) VALUES ('${sid}', 0, '', '', '', 'OPS', 'Done', 0, 'OPS-1', 1)`,
    )
  db.exec("UPDATE sessions SET cause = 'x' WHERE id = 'session-3'")
  db.close()
  const repair = await repairHistory(file)
  expect(repair?.losses.map(({ table }) => table)).toEqual(['sessions', 'events'])
  expect(repair?.kept.get('jira_issues')).toBe(2)
  const history = openHistory(file)
  expect(history.read(({ issues }) => issues.orphans('another gateway'))).toEqual([])
  history.close()
})

it('the log of a gateway that was killed is kept as far as it is sound, which is no damage', async () => {
  for (const suffix of ['', '-wal']) copyFileSync(`${soundLog}${suffix}`, `${file}${suffix}`)
  const log = readFileSync(`${file}-wal`)
  log.fill(0, Math.floor(log.length / 2), Math.floor(log.length / 2) + 100)
  writeFileSync(`${file}-wal`, log)
  const repair = await repairHistory(file)
  expect(repair).toBeUndefined()
  const { whole, cut, gone } = survivors()
  expect(whole.length).toBeGreaterThan(0)
  expect([whole.length + cut.length + gone.length, cut]).toEqual([SESSIONS, []])
})

it('the log of a gateway that was killed stays beside the old file when that is damaged', async () => {
  const log = readFileSync(`${soundLog}-wal`)
  // Whole, it would hide what is wrong with the file.
  log.fill(0, 32, 132)
  writeFileSync(`${file}-wal`, log, { mode: 0o600 })
  damagePage(rootOf('sessions_by_start'))
  const repair = await repairHistory(file)
  expect(readFileSync(`${String(repair?.oldFile)}-wal`).equals(log)).toBe(true)
  expect(survivors()).toMatchObject({ gone: [], cut: [] })
})

it('a repair that was killed between its two names can be begun anew, and has its log again', async () => {
  damagePage(rootOf('sessions_by_start'))
  const repair = await repairHistory(file)
  const oldFile = String(repair?.oldFile)
  // As the kill leaves it: both names are of the damaged file, and the log has the new name alone.
  rmSync(file)
  linkSync(oldFile, file)
  place.write('state/.repair-0123456789abcdef/history.sqlite', 'half of it')
  const again = await repairHistory(file)
  expect(again).toMatchObject({ losses: [] })
  expect(readdirSync(place.at('state')).filter((name) => name.startsWith('.repair-'))).toEqual([])
  expect(survivors()).toMatchObject({ gone: [], cut: [] })
})

it('an examination that is short of time says what it has not seen', async () => {
  expect(await examineHistory(file, LAYOUT, { depth: 'quick', withinMs: 0 })).toMatchObject({
    faults: [],
    unseen: expect.arrayContaining(['events']) as string[],
  })
})

it.runIf(SmallDisk.permitted())(
  'a repair is refused where the disk has no room for the new file',
  async () => {
    damagePage(rootOf('sessions_by_start'))
    using disk = new SmallDisk('8M')
    const onDisk = path.join(disk.path, 'history.sqlite')
    copyFileSync(file, onDisk)
    await expect(repairHistory(onDisk)).rejects.toThrow(
      expect.objectContaining({ noRoom: expect.any(String) as string }) as Error,
    )
    expect(readFileSync(onDisk).equals(readFileSync(file))).toBe(true)
    expect(readdirSync(disk.path).filter((name) => /repair|damaged/.test(name))).toEqual([])
  },
)

it('a repair is refused while a gateway uses the history', async () => {
  const history = openHistory(file)
  try {
    await expect(repairHistory(file)).rejects.toThrow('another gateway is using it')
  } finally {
    history.close()
  }
  expect(existsSync(`${file}.damaged`)).toBe(false)
  truncateSync(file, 0)
})

it.each(['', '-wal'])(
  'a repair neither examines nor repairs through a link: history.sqlite%s',
  async (suffix) => {
    const precious = place.write('precious', 'mine')
    rmSync(`${file}${suffix}`, { force: true })
    symlinkSync(precious, `${file}${suffix}`)
    const refused = `history.sqlite${suffix} is a symbolic link`
    await expect(examineHistory(file, LAYOUT, WHOLE)).rejects.toThrow(refused)
    await expect(repairHistory(file)).rejects.toThrow(refused)
    expect(readFileSync(precious, 'utf8')).toBe('mine')
  },
)
