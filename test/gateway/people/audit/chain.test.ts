import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import Database from 'libsql'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { AuditLog } from '../../../../src/gateway/people/audit/audit-log.ts'
import { auditFacts, type AuditEntry, entryOf, hashOf } from '../../../../src/contract/audit-entry.ts'
import {
  shownEntry,
  linkOfLine,
  verifyChain,
  type Verification,
} from '../../../../src/contract/audit-chain.ts'
import { readAuditFile } from '../../../../src/gateway/people/audit/audit-file.ts'
import { type Connection, closeFile } from '../../../../src/gateway/store/sqlite.ts'
import { hasNoRoom } from '../../../../src/gateway/store/errors.ts'
import type { NewSession } from '../../../../src/gateway/history/session.ts'
import type { History } from '../../../../src/gateway/history/history.ts'
import { openHistory } from '../../../../src/gateway/rooms.ts'

let folder: string
let file: string
let history: History
let log: AuditLog
const told: string[] = []
const logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: (_: object, text: string) => void told.push(text),
}

function open(options: { maxBytes?: number } = {}): void {
  history = openHistory(file, options)
  log = new AuditLog(history, () => 1000, logger)
}

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'audit-'))
  file = path.join(folder, 'history.sqlite')
  told.length = 0
  open()
})
afterEach(() => {
  log.close()
  history.close()
  rmSync(folder, { recursive: true })
})

const viewed = (actor: string) => auditFacts({ actor, action: 'view', resource_type: 'sessions' })
const changed = (actor: string) => auditFacts({ actor, action: 'update', resource_type: 'users' })

function fill(): void {
  for (const name of ['ann', 'bob', 'cid', 'dan', 'eve']) log.note(viewed(name))
}

function verified(expected?: string, of = file): Verification {
  return readAuditFile(of, ({ anchor, links }) => verifyChain(links, anchor, expected))
}

function entries(of = file): AuditEntry[] {
  return readAuditFile(of, ({ links }) => [...links].map(entryOf))
}

/** What somebody does who can write the file. */
function tamper(sql: string, ...values: (string | number)[]): void {
  withFile((db) => db.prepare(sql).run(values))
}

/** Attached, since libsql leaves a file open until the garbage collector has taken each statement. */
function withFile(work: (db: Connection) => void): void {
  const db = new Database(':memory:')
  db.exec(`ATTACH '${file}' AS history`)
  try {
    work(db)
  } finally {
    closeFile(db)
  }
}

describe('the chain', () => {
  it('holds while the gateway goes on writing, and has a hash to keep', () => {
    fill()
    const { hash } = log.head
    fill()
    expect(verified(hash)).toEqual({
      ...{ entries: 10, first: 1, head: log.head, faults: [], hasExpected: true },
    })
    expect(verified('f'.repeat(64)).hasExpected).toBe(false)
  })

  it('names an entry whose text was altered', () => {
    fill()
    tamper(`UPDATE audit_log SET entry = replace(entry, 'cid', 'eva') WHERE sequence = 3`)
    expect(verified().faults).toEqual([
      { sequence: 3, fault: 'altered', says: 'entry 3 was altered: its hash does not match' },
    ])
  })

  it('names an entry that was replaced together with its hash', () => {
    fill()
    const text = JSON.stringify({ ...entries()[2], actor: 'eva' })
    tamper('UPDATE audit_log SET entry = ?, hash = ? WHERE sequence = 3', text, hashOf(text))
    expect(verified().faults).toEqual([
      {
        sequence: 3,
        fault: 'altered',
        says: 'entry 3 was replaced: its hash differs from previous_hash of entry 4',
      },
    ])
  })

  it('names entries that are missing, in front too', () => {
    fill()
    tamper('DELETE FROM audit_log WHERE sequence IN (1, 3, 4)')
    expect(verified().faults.map(({ fault, says }) => [fault, says])).toEqual([
      ['missing', 'entry 1 is missing'],
      ['missing', 'entries 3 to 4 are missing'],
    ])
  })

  it('misses what was cut off at the end only by a hash that was kept', () => {
    fill()
    const { hash } = log.head
    tamper('DELETE FROM audit_log WHERE sequence = 5')
    expect(verified(hash)).toMatchObject({ faults: [], hasExpected: false })
  })

  it('names entries that were exchanged', () => {
    fill()
    withFile((db) => {
      const rows = db.prepare('SELECT entry, hash FROM audit_log WHERE sequence IN (2, 4)').raw().all([])
      const [second, fourth] = rows as [string, string][]
      const put = db.prepare('UPDATE audit_log SET entry = ?, hash = ? WHERE sequence = ?')
      put.run([...(fourth ?? []), 2])
      put.run([...(second ?? []), 4])
    })
    expect(verified().faults.map(({ sequence, fault }) => [sequence, fault])).toContainEqual([2, 'altered'])
  })

  it('begins behind what was removed for its age', () => {
    fill()
    const removed = history.write(({ audit }) => audit.removeOldEntries(new Date(Date.now() + 1), 3))
    expect(removed).toBe(3)
    expect(verified()).toMatchObject({ entries: 2, first: 4, faults: [] })
    history.write(({ audit }) => audit.removeOldEntries(new Date(Date.now() + 1), 3))
    log.note(viewed('fay'))
    expect(verified()).toMatchObject({ entries: 1, first: 6, faults: [] })
    tamper('UPDATE audit_anchor SET sequence = 4')
    expect(verified().faults).toEqual([{ sequence: 6, fault: 'missing', says: 'entry 5 is missing' }])
  })

  it('loses entries that a clock set ahead has written with what follows them, and none before', () => {
    const clock = vi.useFakeTimers({ toFake: ['Date'] })
    const year = 365 * 24 * 3_600_000
    const start = Date.now()
    log.note(viewed('ann'))
    clock.setSystemTime(start + 50 * year)
    log.note(viewed('bob'))
    clock.setSystemTime(start + 1000)
    log.note(viewed('cid'))
    clock.setSystemTime(start + year)
    log.note(viewed('dan'))
    const remove = (before: number) =>
      history.write(({ audit }) => audit.removeOldEntries(new Date(before), 500))
    expect(remove(start + 500)).toBe(1)
    expect(remove(start + 2000)).toBe(2)
    expect(entries().map(({ actor }) => actor)).toEqual(['dan'])
    clock.useRealTimers()
  })

  it('can be verified in a file of JSON lines, in which hoop has names of its own', () => {
    fill()
    const lines = readAuditFile(file, ({ links }) =>
      [...links].map((link) => JSON.stringify(shownEntry(link))),
    )
    const ofLines = (changed: string[]) =>
      verifyChain(
        changed.map((line, i) => linkOfLine(line, i + 1)),
        undefined,
      )
    expect(ofLines(lines)).toMatchObject({ entries: 5, faults: [], head: log.head })
    expect(ofLines(lines.slice(2))).toMatchObject({ entries: 3, first: 3, faults: [] })
    const alter = (from: string, to: string) => lines.map((line) => line.replace(from, to))
    expect(ofLines(alter('"actor":"bob"', '"actor":"eva"')).faults).toMatchObject([{ sequence: 2 }])
    expect(ofLines(alter('"actor_name":"bob"', '"actor_name":"eva"')).faults).toMatchObject([
      { sequence: 2, fault: 'altered' },
    ])
    const [first = '', second = '', ...rest] = lines
    expect(ofLines([second, first, ...rest]).faults).toMatchObject([{ sequence: 1, fault: 'reordered' }])
    expect(ofLines([first, 'no JSON']).faults).toMatchObject([{ fault: 'malformed', says: /^line 2/ }])
  })
})

describe('what one user causes', () => {
  const few = () => {
    log.close()
    log = new AuditLog(history, () => 1000, logger, 3)
  }

  it('is noted up to his share, then counted; others have theirs', () => {
    few()
    for (const number of [1, 2, 3, 4, 5]) log.note({ ...viewed('ann'), resource_id: `s${number}` })
    log.note(viewed('bob'))
    const actors = () => entries().map(({ actor, action, resource_id: id }) => [actor, action, id])
    const noted = [...['s1', 's2', 's3'].map((id) => ['ann', 'view', id]), ['bob', 'view', '']]
    expect(actors()).toEqual(noted)
    log.close()
    expect(actors()).toEqual([...noted, ['', 'gap', 'ann']])
    expect(entries().at(-1)?.request_payload_redacted).toEqual({ left_out: 2 })
    expect(verified().faults).toEqual([])
  })

  it('is ten thousand entries at most', () => {
    for (let count = 0; count <= 10_000; count += 1) log.note(viewed('ann'))
    expect(log.head.sequence).toBe(10_000)
  })

  it('does not happen beyond it, where it would change something; what takes away does', () => {
    few()
    for (let i = 0; i < 3; i++) log.conclude(changed('ann'), log.announce(changed('ann')))
    expect(entries()).toHaveLength(6)
    expect(() => log.announce(changed('ann'))).toThrow(/ann has made too many changes in ten minutes/)
    expect(log.announceAnyway(changed('ann'))).toBeUndefined()
    expect(log.announce(changed('bob'))).toBe(7)
  })

  it('is his address where nobody knows him, and the gateway itself has no share', () => {
    few()
    for (const name of ['a', 'b', 'c', 'd'])
      log.note({ ...viewed(''), client_ip: '10.0.0.1', resource_id: name })
    for (const name of ['a', 'b', 'c', 'd']) log.note({ ...viewed(''), resource_id: name })
    expect(entries().filter(({ client_ip: ip }) => ip !== '')).toHaveLength(3)
    expect(entries().filter(({ client_ip: ip }) => ip === '')).toHaveLength(4)
  })
})

describe('a log that cannot be written', () => {
  it('refuses changes, counts what was seen, and says later how much is missing', () => {
    log.close()
    history.close()
    open({ maxBytes: 1024 * 1024 })
    history.begin(session)
    history.append('s1', 'o', Buffer.alloc(512 * 1024), 1)
    history.finish('s1', { exitCode: 0, truncatedBytes: 0, endedAt: new Date() })
    fillRest()
    expect(() => log.announce(changed('ann'))).toThrow(
      expect.objectContaining({ noRoom: expect.any(String) as string }) as Error,
    )
    const before = entries().length
    log.note(viewed('bob'))
    log.note(viewed('cid'))
    expect(entries()).toHaveLength(before)
    expect(told.filter((text) => text.includes('could not be written'))).toHaveLength(1)
    while (!history.quota.removeOlder(() => Date.now() + 1).isDone);
    log.announce(changed('dan'))
    const [gap, change] = entries().slice(-2)
    expect(gap).toMatchObject({ action: 'gap', request_payload_redacted: { missing_entries: 2 } })
    expect(change).toMatchObject({ actor: 'dan', stage: 'asked' })
    expect(verified().faults).toEqual([])
  })

  it('has what was announced when the process is gone before anything has happened', () => {
    log.announce(changed('ann'))
    const left = path.join(folder, 'left.sqlite')
    for (const suffix of ['', '-wal']) cpSync(`${file}${suffix}`, `${left}${suffix}`)
    const after = openHistory(left)
    after.close()
    expect(entries(left).at(-1)).toMatchObject({ actor: 'ann', stage: 'asked' })
  })
})

const session: NewSession = {
  ...({ id: 's1', origin: 'client-api', verb: 'exec' } as const),
  ...{ connection: 'c', connectionType: 'custom', user: 'u' },
  ...{ script: Buffer.from(''), labels: {}, metadata: {}, startedAt: new Date() },
}

/** Until not even an entry fits. */
function fillRest(): void {
  for (let i = 0; i < 1000; i++) {
    try {
      history.write(({ audit }) => audit.append(changed('ann')))
    } catch (error) {
      if (hasNoRoom(error)) return
      throw error
    }
  }
  throw new Error('the file does not get full')
}
