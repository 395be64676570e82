import { execFileSync, spawnSync } from 'node:child_process'
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openJournal, type Journal } from '../../../src/agent/journal/journal.ts'
import type { Logger } from '../../../src/basics/logger.ts'
import { waitFor } from '../../support/wait.ts'

interface Warning {
  readonly journal?: string
  readonly error?: string
  readonly lines?: number
  readonly message: string
}

/** A disk so small that a test can fill it. */
const DISK_BYTES = 256 * 1024
const mount = (folder: string, options: string) =>
  spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES},${options}`, 'tmpfs', folder]).status === 0

const uid = process.geteuid?.() ?? 0
let root: string
let folder: string
let file: string
let warnings: Warning[]
let journals: Journal[]
let mounts: string[]

const log: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: (fields, message) => void warnings.push({ ...fields, message }),
  error: () => undefined,
}

/** What this machine permits, tried once: containers often permit neither. */
const [CAN_MOUNT, CAN_MAKE_DEVICES] = (() => {
  const probe = mkdtempSync(join(tmpdir(), 'journal-probe-'))
  try {
    const mounted = mount(probe, 'rw')
    if (mounted) execFileSync('umount', [probe])
    return [mounted, spawnSync('mknod', [join(probe, 'full'), 'c', '1', '7']).status === 0]
  } finally {
    rmSync(probe, { recursive: true })
  }
})()

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'journal-test-'))
  folder = join(root, 'state')
  file = join(folder, 'journal.jsonl')
  warnings = []
  journals = []
  mounts = []
})
afterEach(() => {
  for (const journal of journals) journal.close()
  for (const mounted of mounts) execFileSync('umount', [mounted])
  rmSync(root, { recursive: true, force: true })
})

function open(maxBytes = 1024 * 1024): Journal {
  const journal = openJournal({ folder, maxBytes, agent: 'local', log, lookMs: 0 })
  journals.push(journal)
  return journal
}

const record = (journal: Journal, sid: string) => journal.record({ event: 'confirmed', sid })
const linesOf = (path = file) => readFileSync(path, 'utf8').split('\n').slice(0, -1)
const sidOf = (line: string) => (JSON.parse(line) as { sid: string }).sid
const sids = (path = file) => linesOf(path).map(sidOf)

/** Files below the test's folder that this process has open. */
const held = () =>
  readdirSync('/proc/self/fd')
    .map((fd) => ({ fd, target: orNothing(() => readlinkSync(`/proc/self/fd/${fd}`)) }))
    .filter(({ target }) => target.startsWith(root))

/** The descriptor of the listing itself is gone by the time it is looked at. */
function orNothing(look: () => string): string {
  try {
    return look()
  } catch {
    return ''
  }
}

describe('a journal', () => {
  test('has a line in its file when record returns, in a folder and a file of this user alone', () => {
    record(open(), 's1')
    expect(sids()).toEqual(['s1'])
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    expect(statSync(file).mode & 0o777).toBe(0o600)
  })

  test('makes the folders above a missing one for this user alone too', () => {
    folder = join(root, 'a', 'b')
    file = join(folder, 'journal.jsonl')
    record(open(), 's1')
    expect(sids()).toEqual(['s1'])
    expect(statSync(join(root, 'a')).mode & 0o777).toBe(0o700)
  })

  test('begins each line with the time and the name of its agent', () => {
    const before = Date.now()
    record(open(), 's1')
    const [line = ''] = linesOf()
    expect(line).toMatch(/^\{"time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z","agent":"local","event":/)
    const { time } = JSON.parse(line) as { time: string }
    expect(Date.parse(time)).toBeGreaterThanOrEqual(before)
    expect(Date.parse(time)).toBeLessThanOrEqual(Date.now())
  })

  test('continues the file of an earlier agent', () => {
    const earlier = open()
    record(earlier, 's1')
    earlier.close()
    record(open(), 's2')
    expect(sids()).toEqual(['s1', 's2'])
  })

  test('holds one descriptor that no command inherits, and gives it back', () => {
    const journal = open()
    record(journal, 's1')
    record(journal, 's2')
    const [only, ...others] = held()
    expect(others).toEqual([])
    const [, flags = '0'] =
      /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${only?.fd}`, 'utf8')) ?? []
    const [O_APPEND, O_CLOEXEC] = [0o2000, 0o2000000]
    expect(Number.parseInt(flags, 8) & (O_APPEND | O_CLOEXEC)).toBe(O_APPEND | O_CLOEXEC)
    journal.close()
    expect(held()).toEqual([])
  })

  test('records nothing after it was closed, and may be closed again', () => {
    const journal = open()
    journal.close()
    record(journal, 's1')
    journal.close()
    expect(existsSync(folder)).toBe(false)
    expect(warnings).toEqual([])
  })

  test('of 0 bytes is off: it makes nothing', () => {
    record(open(0), 's1')
    expect(existsSync(folder)).toBe(false)
  })
})

describe('a file that is no longer the journal', () => {
  test('because it was deleted is made anew with the next line', () => {
    const journal = open()
    record(journal, 's1')
    rmSync(file)
    record(journal, 's2')
    expect(sids()).toEqual(['s2'])
    expect(held().map(({ target }) => target)).toEqual([file])
  })

  test('because it was moved away gets no more lines', () => {
    const journal = open()
    record(journal, 's1')
    renameSync(file, join(root, 'journal.jsonl.2026-03-04'))
    record(journal, 's2')
    expect(sids(join(root, 'journal.jsonl.2026-03-04'))).toEqual(['s1'])
    expect(sids()).toEqual(['s2'])
  })

  test.each([
    ['deleted', () => rmSync(file)],
    ['moved away', () => renameSync(file, join(root, 'journal.jsonl.2026-03-04'))],
  ])('because it was %s is noticed by an agent that looks now and then', async (_, take) => {
    const journal = openJournal({ folder, maxBytes: 1024 * 1024, agent: 'local', log })
    journals.push(journal)
    record(journal, 's1')
    take()
    await waitFor(() => (record(journal, 's2'), existsSync(file)))
    expect(sids()).toEqual(['s2'])
    expect(warnings).toEqual([])
  })

  test('because its folder was deleted is made anew with the folder', () => {
    const journal = open()
    record(journal, 's1')
    rmSync(folder, { recursive: true })
    record(journal, 's2')
    expect(sids()).toEqual(['s2'])
    expect(warnings).toEqual([])
  })

  test('is not needed after a truncation in place: the next line stands at its beginning', () => {
    const journal = open()
    record(journal, 's1')
    truncateSync(file)
    record(journal, 's2')
    expect(sids()).toEqual(['s2'])
  })
})

describe('a torn line', () => {
  test.each(['{"time":"2026-03-04T05:06', 'x'])('that an earlier agent left, %j, stays alone', (torn) => {
    mkdirSync(folder)
    writeFileSync(file, `{"sid":"s1"}\n${torn}`)
    const journal = open()
    record(journal, 's2')
    record(journal, 's3')
    const [first = '', second, ...rest] = linesOf()
    expect([sidOf(first), second, ...rest.map(sidOf)]).toEqual(['s1', torn, 's2', 's3'])
  })

  test.skipIf(!CAN_MOUNT)('that a full disk left (needs to mount a tmpfs) stays alone', () => {
    mkdirSync(folder)
    mounts.push(folder)
    expect(mount(folder, 'rw')).toBe(true)
    const ballast = join(folder, 'ballast')
    writeFileSync(ballast, Buffer.alloc(DISK_BYTES - 3 * 4096))
    const journal = open()
    // What a page holds of short lines is no whole number of them, so the last one is cut by the full disk.
    let written = 0
    for (; warnings.length === 0; written++) record(journal, `s${written}`)
    const lost = 3
    for (let i = 1; i < lost; i++) record(journal, 'lost')
    expect(statSync(file).size).toBe(3 * 4096)
    expect(warnings).toHaveLength(1)

    rmSync(ballast)
    record(journal, 'after')
    record(journal, 'last')
    const lines = linesOf()
    const torn = lines[written - 1] ?? ''
    expect(torn).toMatch(/^\{"time":/)
    expect(() => sidOf(torn)).toThrow(SyntaxError)
    const whole = Array.from({ length: written - 1 }, (_, i) => `s${i}`)
    expect(lines.filter((line) => line !== torn).map(sidOf)).toEqual([...whole, 'after', 'last'])
    expect(warnings.map(({ lines }) => lines)).toEqual([undefined, lost])
  })
})

/** Each puts something in the way and returns how to take it away again. */
const obstacles: readonly {
  readonly name: string
  readonly permitted: boolean
  readonly put: () => () => void
  readonly error: RegExp
}[] = [
  {
    name: 'a file in the place of its folder',
    permitted: true,
    put: () => (writeFileSync(folder, ''), () => rmSync(folder)),
    error: /ENOTDIR/,
  },
  {
    name: 'a folder where folders cannot be made',
    permitted: true,
    put: () => (symlinkSync('/proc/nothing/below', folder), () => rmSync(folder)),
    error: /ENOENT/,
  },
  {
    name: 'a symbolic link in the place of its file',
    permitted: true,
    put: () => inPlace(() => symlinkSync(join(root, 'victim'), file)),
    error: /journal\.jsonl is a symbolic link: remove it/,
  },
  {
    name: 'a FIFO in the place of its file',
    permitted: true,
    put: () => inPlace(() => execFileSync('mkfifo', [file])),
    error: /journal\.jsonl is not a regular file: remove it/,
  },
  {
    name: 'a folder in the place of its file',
    permitted: true,
    put: () => inPlace(() => mkdirSync(file)),
    error: /journal\.jsonl is not a regular file: remove it/,
  },
  {
    name: 'a device in the place of its file (needs mknod)',
    permitted: CAN_MAKE_DEVICES,
    put: () => inPlace(() => execFileSync('mknod', [file, 'c', '1', '7'])),
    error: /journal\.jsonl is not a regular file: remove it/,
  },
  {
    name: "somebody else's file in its place (needs root)",
    permitted: uid === 0,
    put: () =>
      inPlace(() => {
        writeFileSync(file, '')
        chownSync(file, 12345, 12345)
      }),
    error: /journal\.jsonl belongs to uid 12345, not 0: remove it/,
  },
  {
    name: 'a disk that is read-only (needs to mount a tmpfs)',
    permitted: CAN_MOUNT,
    put: () => {
      mkdirSync(folder)
      mounts.push(folder)
      mount(folder, 'ro')
      return () => execFileSync('mount', ['-o', 'remount,rw', folder])
    },
    error: /EROFS/,
  },
  {
    name: 'a disk that is full (needs to mount a tmpfs)',
    permitted: CAN_MOUNT,
    put: () => {
      mkdirSync(folder)
      mounts.push(folder)
      mount(folder, 'rw')
      writeFileSync(join(folder, 'ballast'), Buffer.alloc(DISK_BYTES))
      return () => rmSync(join(folder, 'ballast'))
    },
    error: /ENOSPC/,
  },
]

function inPlace(put: () => void): () => void {
  mkdirSync(folder)
  put()
  return () => rmSync(file, { recursive: true })
}

describe('what stands in the way of a journal', () => {
  for (const { name, permitted, put, error } of obstacles) {
    test.skipIf(!permitted)(`${name}: is logged once, and once more when it is gone`, () => {
      const remove = put()
      const journal = open()
      for (const sid of ['s1', 's2', 's3']) record(journal, sid)
      expect(warnings).toEqual([
        {
          journal: file,
          error: expect.stringMatching(error) as string,
          message:
            'cannot write the journal: executions continue, but are not recorded until writing succeeds again',
        },
      ])
      expect(held()).toEqual([])

      remove()
      record(journal, 's4')
      record(journal, 's5')
      expect(sids()).toEqual(['s4', 's5'])
      expect(warnings.slice(1)).toEqual([
        { journal: file, lines: 3, message: 'writing the journal succeeds again; lines were lost' },
      ])
    })
  }

  test('is refused also when it comes later', () => {
    const journal = open()
    record(journal, 's1')
    writeFileSync(join(root, 'victim'), '')
    rmSync(file)
    symlinkSync(join(root, 'victim'), file)
    record(journal, 's2')
    expect(readFileSync(join(root, 'victim'), 'utf8')).toBe('')
    expect(warnings).toHaveLength(1)
  })

  test('is logged again when it comes again', () => {
    const journal = open()
    for (const lost of [2, 1]) {
      rmSync(folder, { recursive: true, force: true })
      writeFileSync(folder, '')
      for (let i = 0; i < lost; i++) record(journal, 'lost')
      rmSync(folder)
      record(journal, 'kept')
    }
    expect(warnings.map(({ lines }) => lines)).toEqual([undefined, 2, undefined, 1])
  })

  test('to the end is told with what it cost when the journal is closed', () => {
    writeFileSync(folder, '')
    const journal = open()
    record(journal, 's1')
    record(journal, 's2')
    journal.close()
    journal.close()
    expect(warnings.slice(1)).toEqual([
      {
        journal: file,
        lines: 2,
        message: 'the last lines of the journal could not be written and were lost',
      },
    ])
  })
})
