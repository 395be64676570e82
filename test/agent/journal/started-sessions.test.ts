import { appendFileSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { JournalEntry } from '../../../src/agent/journal/entries.ts'
import { openJournal } from '../../../src/agent/journal/journal.ts'
import { startedIn, StartedSessions } from '../../../src/agent/journal/started-sessions.ts'

const silent = () => undefined
const log = { debug: silent, info: silent, warn: silent, error: silent }

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'started-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function record(entries: readonly JournalEntry[], maxBytes = 1024 * 1024): void {
  const journal = openJournal({ folder, maxBytes, agent: 'local', log })
  for (const entry of entries) journal.record(entry)
  journal.close()
}

const starting = (...sids: string[]) => sids.map((sid) => ({ event: 'starting', sid }) as const)

describe('the started sessions', () => {
  it('begin each session once, and are in the journal before anything starts', () => {
    const entries: JournalEntry[] = []
    const started = new StartedSessions((entry) => void entries.push(entry), ['earlier'])
    expect(['earlier', 's1', 's1', 's2'].map((sid) => started.begin(sid))).toEqual([false, true, false, true])
    expect(entries).toEqual(starting('s1', 's2'))
    expect(['earlier', 's1', 's3'].map((sid) => started.has(sid))).toEqual([true, true, false])
  })

  it('know an id that the journal has cut', () => {
    const long = 's'.repeat(300)
    record(starting(long))
    const started = new StartedSessions(silent, startedIn(folder))
    expect(started.begin(long)).toBe(false)
    expect(started.begin('s'.repeat(255))).toBe(true)
  })

  it('forget the oldest of more than 50,000', () => {
    const started = new StartedSessions(
      silent,
      Array.from({ length: 50_001 }, (_, at) => `s${at}`),
    )
    expect(['s0', 's1', 's50000'].map((sid) => started.has(sid))).toEqual([false, true, true])
  })
})

describe('the ids of a journal', () => {
  it('are none if there is no journal', () => {
    expect(startedIn(folder)).toEqual([])
    expect(startedIn(join(folder, 'missing'))).toEqual([])
  })

  it('are those that were started, oldest first, also those of versions without `starting`', () => {
    record([
      { event: 'agent', state: 'started', version: '1', gateway: 'gw:8010', pid: 1 },
      ...starting('s1'),
      { event: 'confirmed', sid: 'only-ended' },
      { event: 'started', sid: 's2', pid: 1, program: 'x', argumentCount: 0, inputBytes: 0, terminal: false },
    ])
    expect(startedIn(folder)).toEqual(['s1', 's2'])
  })

  it('are none of what the gateway asked for itself', () => {
    const hook = { sid: 'hook', request: 'hook', pid: 1, program: 'x' } as const
    record([{ event: 'started', ...hook, argumentCount: 0, inputBytes: 0, terminal: false }])
    expect(startedIn(folder)).toEqual([])
  })

  it('come from both files after a rotation', () => {
    const ids = Array.from({ length: 150 }, (_, at) => `s${at}`)
    record(starting(...ids), 24 * 1024)
    const found = startedIn(folder)
    expect(found.length).toBeGreaterThan(100)
    expect(found).toEqual(ids.slice(-found.length))
  })

  it('are those of the newest bytes if there are too many', () => {
    const ids = Array.from({ length: 10_000 }, (_, at) => `s${at}`)
    record(starting(...ids))
    const found = startedIn(folder, 600_000)
    expect(found.length).toBeLessThan(10_000)
    expect(found.length).toBeGreaterThan(5000)
    expect(found).toEqual(ids.slice(-found.length))
  })

  it('come without lines that were cut or that nobody knows', () => {
    record(starting('s1'))
    const torn = '{"event":"starting","sid":"to'
    appendFileSync(join(folder, 'journal.jsonl'), `${'x'.repeat(600_000)}\n\n{"event":"starting"}\n${torn}`)
    record(starting('s2'))
    expect(startedIn(folder)).toEqual(['s1', 's2'])
  })

  it('are read from no link', () => {
    writeFileSync(join(folder, 'elsewhere'), '')
    symlinkSync(join(folder, 'elsewhere'), join(folder, 'journal.jsonl'))
    expect(() => startedIn(folder)).toThrow(/ELOOP/)
  })
})
