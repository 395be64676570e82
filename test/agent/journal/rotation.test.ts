import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openJournal, type Journal } from '../../../src/agent/journal/journal.ts'
import { journalLine, MAX_LINE_BYTES } from '../../../src/agent/journal/entries.ts'
import type { Logger } from '../../../src/basics/logger.ts'
import { translate } from '../../support/machine/translate.ts'

const KIB = 1024
let root: string
let folder: string
let current: string
let older: string
let lock: string
let warnings: string[]
let journals: Journal[]

const log: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: (fields) => void warnings.push(JSON.stringify(fields)),
  error: () => undefined,
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'journal-rotation-test-'))
  folder = join(root, 'state')
  current = join(folder, 'journal.jsonl')
  older = join(folder, 'journal.1.jsonl')
  lock = join(folder, 'journal.lock')
  warnings = []
  journals = []
})
afterEach(() => {
  for (const journal of journals) journal.close()
  rmSync(root, { recursive: true, force: true })
})

function open(maxBytes: number): Journal {
  const journal = openJournal({ folder, maxBytes, agent: 'local', log, lookMs: 0 })
  journals.push(journal)
  return journal
}

const record = (journal: Journal, sid: string) => journal.record({ event: 'confirmed', sid })
const LINE_BYTES = journalLine({ event: 'confirmed', sid: '0000' }, 'local', new Date()).length
const numbered = (i: number) => String(i).padStart(4, '0')

interface Line {
  readonly agent: string
  readonly sid: string
}
const linesOf = (path: string): Line[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line)
const sids = (path: string) => linesOf(path).map(({ sid }) => sid)
const sizeOf = (path: string) => statSync(path, { throwIfNoEntry: false })?.size ?? 0

/** Records until the first line after a rotation. @returns how many lines */
function fill(journal: Journal): number {
  record(journal, numbered(0))
  const before = statSync(current).ino
  for (let count = 1; count < 1000; count++) {
    record(journal, numbered(count))
    if (statSync(current).ino !== before) return count + 1
  }
  throw new Error('1000 lines and no rotation')
}

describe('rotation', () => {
  test('keeps both generations together within the bound after every line, and the newest lines whole', () => {
    const maxBytes = 16 * KIB
    const journal = open(maxBytes)
    const count = 2000
    for (let i = 0; i < count; i++) {
      record(journal, numbered(i))
      expect(sizeOf(current)).toBeLessThanOrEqual(maxBytes / 2)
      expect(sizeOf(current) + sizeOf(older)).toBeLessThanOrEqual(maxBytes)
    }
    const kept = [...sids(older), ...sids(current)]
    expect(kept).toEqual(Array.from({ length: kept.length }, (_, i) => numbered(count - kept.length + i)))
    expect(readdirSync(folder).sort()).toEqual(['journal.1.jsonl', 'journal.jsonl'])
    expect(warnings).toEqual([])
  })

  test('comes as early when the size is looked up only now and then: our own lines are counted', () => {
    const counted = (lookMs: number) => {
      const journal = openJournal({ folder, maxBytes: 16 * KIB, agent: 'local', log, lookMs })
      journals.push(journal)
      rmSync(older, { force: true })
      rmSync(current, { force: true })
      return fill(journal)
    }
    expect(counted(Infinity)).toBe(counted(0))
  })

  test('comes at most 64 KiB later when another agent has written since the last look', () => {
    const journal = openJournal({ folder, maxBytes: 2 * 256 * KIB, agent: 'local', log, lookMs: Infinity })
    journals.push(journal)
    record(journal, numbered(0))
    const before = statSync(current).ino
    appendFileSync(current, `${'x'.repeat(255)}\n`.repeat(4 * 150))
    while (statSync(current).ino === before) record(journal, numbered(1))
    expect(sizeOf(older)).toBeGreaterThan(255 * KIB)
    expect(sizeOf(older)).toBeLessThanOrEqual((256 + 64) * KIB)
  })

  // A byte is kept for the newline that a torn line would need.
  test.each([
    [100, 1],
    [99, 0],
  ])('comes when not one more line fits: after %i with room for 100 and %i bytes', (lines, spare) => {
    const journal = open(2 * (100 * LINE_BYTES + spare))
    expect(fill(journal)).toBe(lines + 1)
    expect(linesOf(older)).toHaveLength(lines)
  })

  test('of a bound too small for two lines keeps two of the longest', () => {
    const journal = open(1)
    const long = '\x01'.repeat(256)
    const entry = {
      event: 'opened' as const,
      sid: long,
      connection: long,
      type: '',
      origin: '',
      verb: '',
      userId: '',
      userEmail: '',
    }
    for (let i = 0; i < 10; i++) {
      journal.record(entry)
      expect(sizeOf(current)).toBeLessThanOrEqual(MAX_LINE_BYTES)
    }
    expect([...linesOf(older), ...linesOf(current)].map(({ sid }) => sid)).toEqual([long, long])
  })

  test('goes on from the size that the file has at the start', () => {
    const earlier = open(16 * KIB)
    const count = fill(earlier) - 1
    earlier.close()
    rmSync(older)
    const later = open(16 * KIB)
    expect(fill(later)).toBe(count)
  })

  test('that is not possible costs lines and not the bound', () => {
    mkdirSync(older, { recursive: true })
    const journal = open(16 * KIB)
    for (let i = 0; i < 200; i++) record(journal, numbered(i))
    expect(sizeOf(current)).toBeLessThanOrEqual(8 * KIB)
    expect(warnings).toHaveLength(1)
    rmdirSync(older)
    record(journal, 'after')
    expect(sids(current)).toEqual(['after'])
    expect(warnings).toHaveLength(2)
  })
})

describe('one of two agents that share a folder', () => {
  test('notices that the other has rotated, and does not rotate again', () => {
    const [one, two] = [open(16 * KIB), open(16 * KIB)]
    record(two, 'two')
    fill(one)
    record(two, 'after')
    expect(sids(older)[0]).toBe('two')
    expect(sids(current).at(-1)).toBe('after')
    expect(sids(current)).toHaveLength(2)
  })

  test('does not rotate while the other does: its lines stay in the generation that it holds', () => {
    const journal = open(16 * KIB)
    const fitting = fill(journal) - 1
    writeFileSync(lock, '')
    for (let i = 0; i < fitting + 10; i++) record(journal, 'waits')
    expect(linesOf(current)).toHaveLength(fitting + 11)
    rmSync(lock)
    record(journal, 'after')
    expect(sids(current)).toEqual(['after'])
    expect(linesOf(older)).toHaveLength(fitting + 11)
    expect(warnings).toEqual([])
  })

  test.each([
    ['died long ago', -60_000],
    ['died when the clock was ahead', 60_000],
  ])('that %s while it rotated does not hinder the other', (_, ms) => {
    const journal = open(16 * KIB)
    record(journal, 'first')
    writeFileSync(lock, '')
    const then = new Date(Date.now() + ms)
    utimesSync(lock, then, then)
    fill(journal)
    expect(existsSync(lock)).toBe(false)
    expect(warnings).toEqual([])
  })
})

describe('real agents', () => {
  const LINES = 5000

  function program(): string {
    translate(root, ['basics', 'agent/journal'])
    const main = join(root, 'main.js')
    writeFileSync(
      main,
      `import { readFileSync, writeSync } from 'node:fs'
       import { openJournal } from './agent/journal/journal.js'
       const [folder, maxBytes, agent, last] = process.argv.slice(2)
       const warn = (fields) => writeSync(1, JSON.stringify(fields))
       const journal = openJournal({ folder, maxBytes: Number(maxBytes), agent, log: { warn } })
       journal.record({ event: 'confirmed', sid: '0-' })
       writeSync(2, 'ready')
       readFileSync(0)
       for (let i = 1; i < ${LINES}; i++) journal.record({ event: 'confirmed', sid: i + '-' + 'x'.repeat(i % 150) })
       if (last === 'kill') process.kill(process.pid, 'SIGKILL')
       journal.close()`,
    )
    return main
  }

  /** After a first line each, the children write when all of them have started. @returns what each of them warned of */
  async function run(agents: readonly string[], maxBytes: number, last = ''): Promise<string[]> {
    const main = program()
    const children = agents.map((agent) =>
      spawn(process.execPath, [main, folder, String(maxBytes), agent, last], { stdio: 'pipe' }),
    )
    const printed = children.map((child) => text(child.stdout))
    const closed = children.map((child) => once(child, 'close'))
    await Promise.all(children.map((child) => once(child.stderr, 'data')))
    for (const child of children) child.stdin.end()
    await Promise.all(closed)
    return Promise.all(printed)
  }

  /** Each line is whole, and one agent's lines stand in their order. @returns their numbers */
  function numbersOf(agent: string, lines: readonly Line[]): number[] {
    const numbers = lines.filter((line) => line.agent === agent).map(({ sid }) => Number(sid.split('-')[0]))
    expect(lines.filter((line) => line.agent === agent).map(({ sid }) => sid)).toEqual(
      numbers.map((i) => `${i}-${'x'.repeat(i % 150)}`),
    )
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b))
    return numbers
  }
  const all = Array.from({ length: LINES }, (_, i) => i)

  test.each([
    ['without a rotation', 16 * KIB * KIB, false],
    ['with one rotation', 2 * KIB * KIB, true],
  ])('that write to one folder at the same time lose and mix no line %s', async (_, maxBytes, rotates) => {
    expect(await run(['one', 'two'], maxBytes)).toEqual(['', ''])
    expect(existsSync(older)).toBe(rotates)
    const lines = [...(rotates ? linesOf(older) : []), ...linesOf(current)]
    expect(lines).toHaveLength(2 * LINES)
    for (const agent of ['one', 'two']) expect(numbersOf(agent, lines)).toEqual(all)
  })

  test('that write to one folder at the same time mix no line with many rotations', async () => {
    expect(await run(['one', 'two'], 64 * KIB)).toEqual(['', ''])
    const lines = [...linesOf(older), ...linesOf(current)]
    expect(lines.length).toBeLessThan(2 * LINES)
    const ends = ['one', 'two'].map((agent) => numbersOf(agent, lines).at(-1))
    expect(ends).toContain(LINES - 1)
    expect(readdirSync(folder).sort()).toEqual(['journal.1.jsonl', 'journal.jsonl'])
  })

  test('that are killed right after a line have it in the journal', async () => {
    expect(await run(['one'], 16 * KIB * KIB, 'kill')).toEqual([''])
    expect(numbersOf('one', linesOf(current))).toEqual(all)
  })
})
