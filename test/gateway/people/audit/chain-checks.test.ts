import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import Database from 'libsql'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { auditFacts } from '../../../../src/contract/audit-entry.ts'
import type { History } from '../../../../src/gateway/history/history.ts'
import { LongWork } from '../../../../src/gateway/long-work.ts'
import { ChainChecks } from '../../../../src/gateway/people/audit/chain-checks.ts'
import { openHistory } from '../../../../src/gateway/rooms.ts'
import { closeFile } from '../../../../src/gateway/store/sqlite.ts'

let folder: string
let file: string
let history: History
let checks: ChainChecks

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'chain-'))
  file = path.join(folder, 'history.sqlite')
  history = openHistory(file)
  checks = new ChainChecks(history, new LongWork())
})
afterEach(() => {
  checks.close()
  history.close()
  rmSync(folder, { recursive: true })
})

const noted = auditFacts({ actor: 'ann', action: 'view', resource_type: 'sessions' })

function fill(count: number): void {
  history.write(({ audit }) => {
    for (let i = 0; i < count; i += 1) audit.append(noted)
  })
}

/** What somebody does who can write the file. */
function tamper(sql: string): void {
  const db = new Database(':memory:')
  db.exec(`ATTACH '${file}' AS history`)
  try {
    db.prepare(sql).run([])
  } finally {
    closeFile(db)
  }
}

async function verdict(again?: boolean) {
  const { verdict: found, checking } = await checks.check(again)
  expect(checking).toBeNull()
  return found
}

const says = async (again?: boolean) => (await verdict(again))?.faults.map((fault) => fault.says)

/** Counts the reads of entries, and calls `read` before each. */
function watch(read: (count: number) => void = () => undefined): () => number {
  let count = 0
  const original = history.read.bind(history)
  history.read = (work) =>
    original((tables) =>
      work({
        ...tables,
        audit: new Proxy(tables.audit, {
          get: (audit, name) => {
            const value: unknown = Reflect.get(audit, name)
            if (typeof value !== 'function') return value
            return (...given: unknown[]) => {
              if (name === 'after') read((count += 1))
              return Reflect.apply(value, audit, given) as unknown
            }
          },
        }),
      }),
    )
  return () => count
}

describe('a check of the chain', () => {
  it('finds a whole chain, up to its newest entry', async () => {
    fill(1201)
    const head = history.read(({ audit }) => audit.head())
    const found = await verdict()
    expect(found).toMatchObject({ is_whole: true, entries: 1201, first: 1, ...head, faults: [] })
    expect(Date.parse(found?.checked_at ?? '')).not.toBeNaN()
  })

  it('finds a log without entries whole', async () => {
    expect(await verdict()).toMatchObject({ is_whole: true, entries: 0, first: null, sequence: 0 })
  })

  it('names the first entry that was changed', async () => {
    fill(1201)
    tamper("UPDATE audit_log SET entry = replace(entry, 'ann', 'eva') WHERE sequence IN (700, 900)")
    const found = await verdict()
    expect(found?.is_whole).toBe(false)
    expect(found?.faults[0]).toEqual({
      ...{ sequence: 700, fault: 'altered', says: 'entry 700 was altered: its hash does not match' },
    })
  })

  it('names entries that are missing, also more than one step reads', async () => {
    fill(2100)
    tamper('DELETE FROM audit_log WHERE sequence BETWEEN 400 AND 1700')
    expect(await says()).toEqual(['entries 400 to 1700 are missing'])
  })

  it('misses entries that were cut off at the end since the check before, also after new ones', async () => {
    fill(5)
    expect(await verdict()).toMatchObject({ is_whole: true, sequence: 5 })
    tamper('DELETE FROM audit_log WHERE sequence >= 4')
    const lost =
      'entry 5, which this gateway has seen, is missing or was replaced: the end of the log was cut off'
    expect(await says()).toEqual([lost])
    fill(4)
    expect(await says()).toEqual([lost])
  })

  it('holds after old entries were removed, also while it runs', async () => {
    fill(1800)
    await verdict()
    fill(200)
    let removed = 0
    const remove = () => history.write(({ audit }) => audit.removeOldEntries(new Date(Date.now() + 1), 1900))
    // Between the first step and the second one.
    watch((count) => count === 1 && setImmediate(() => (removed = remove())))
    expect(await verdict()).toMatchObject({ is_whole: true, first: 1, sequence: 2000 })
    expect(removed).toBe(1900)
    expect(await verdict(true)).toMatchObject({ is_whole: true, first: 1901, sequence: 2000 })
  })

  it('holds while new entries are written, which the next check has', async () => {
    fill(600)
    watch((count) => count === 1 && fill(3))
    expect(await verdict()).toMatchObject({ is_whole: true, entries: 600, sequence: 600 })
    expect(await verdict()).toMatchObject({ is_whole: true, entries: 603, sequence: 603 })
  })

  it('lets other work go on between its steps', async () => {
    fill(2000)
    const seen: string[] = []
    watch((count) => {
      seen.push(`step ${count}`)
      setImmediate(() => seen.push(`other ${count}`))
    })
    await verdict()
    const steps = [1, 2, 3, 4].flatMap((count) => [`step ${count}`, `other ${count}`])
    expect(seen.slice(0, steps.length)).toEqual(steps)
  })

  it('runs once for all who ask meanwhile, and not again until an entry is written or it is asked for', async () => {
    fill(10)
    const reads = watch()
    const [one, other] = await Promise.all([checks.check(), checks.check(true)])
    expect(one).toEqual(other)
    expect(reads()).toBe(1)
    expect(await checks.check()).toEqual(one)
    expect(reads()).toBe(1)
    await checks.check(true)
    expect(reads()).toBe(2)
    fill(1)
    await checks.check()
    expect(reads()).toBe(3)
  })

  it('has no verdict if it failed, and is made again at the next request', async () => {
    fill(10)
    const reads = watch((count) => {
      if (count === 1) throw new Error('broken disk')
    })
    await expect(checks.check()).rejects.toThrow('broken disk')
    expect(await verdict()).toMatchObject({ is_whole: true })
    expect(reads()).toBe(2)
  })

  it('reads nothing more after the gateway has closed it', async () => {
    fill(2000)
    const reads = watch((count) => count === 2 && checks.close())
    expect(await verdict()).toBeNull()
    expect(reads()).toBe(2)
  })
})
