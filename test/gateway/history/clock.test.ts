import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { believe, doubt, type Belief } from '../../../src/gateway/history/clock.ts'
import type { History } from '../../../src/gateway/history/history.ts'
import { openHistory } from '../../../src/gateway/rooms.ts'
import { KEEP_ALL, type Retention } from '../../../src/gateway/settings/retention.ts'
import { Upkeep } from '../../../src/gateway/history/disk/upkeep.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const START = Date.parse('2026-03-01T12:00:00Z')
const RETENTION: Retention = {
  ...{ ...KEEP_ALL, retainMs: 30 * DAY },
  connections: new Map([['short', { retainMs: 7 * DAY }]]),
}
const fresh: Belief = { trustedAt: START, provenMs: 0 }

describe('the belief', () => {
  test('follows a clock that is at most a day ahead, and is not set back by one that goes back', () => {
    expect(believe(fresh, START + 20 * HOUR, 0)).toEqual({ trustedAt: START + 20 * HOUR, provenMs: 0 })
    expect(believe(fresh, START - 40 * DAY, HOUR)).toEqual({ trustedAt: START + HOUR, provenMs: 0 })
    expect(doubt(fresh, START - DAY)).toBeUndefined()
  })

  test('does not follow one that is further ahead, but goes on with the time that passes', () => {
    const next = believe(fresh, START + 40 * DAY, 2 * HOUR)
    expect(next).toEqual({ trustedAt: START + 2 * HOUR, provenMs: 2 * HOUR })
    expect(doubt(next, START + 40 * DAY)).toMatch(/^the clock is 958 hours ahead .* 22 more hours/)
  })

  test('follows it after the gateway has run with it for a day, in several goes, and starts over when it was set right', () => {
    let belief = fresh
    for (let i = 0; i < 23; i++) belief = believe(belief, START + 40 * DAY + i * HOUR, HOUR)
    expect(believe(belief, START + DAY - HOUR, 0)).toMatchObject({ provenMs: 0 })
    expect(belief.provenMs).toBe(23 * HOUR)
    expect(believe(belief, START + 41 * DAY, HOUR)).toEqual({ trustedAt: START + 41 * DAY, provenMs: 0 })
  })
})

describe('a gateway whose clock', () => {
  let folder: string
  let lines: string[]
  const opened: { close(): void | Promise<void> }[] = []

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'clock-'))
    lines = []
    vi.useFakeTimers({ toFake: ['Date'], now: START })
  })
  afterEach(async () => {
    for (const one of opened.splice(0).reverse()) await one.close()
    vi.useRealTimers()
    rmSync(folder, { recursive: true })
  })

  const log = {
    debug: () => undefined,
    info: (_: object, text: string) => void lines.push(`info ${text}`),
    warn: (fields: object, text: string) => void lines.push(`warn ${text} ${JSON.stringify(fields)}`),
    error: (fields: object, text: string) => void lines.push(`error ${text} ${JSON.stringify(fields)}`),
  }

  function run(history: History, id: string, connection = 'bash'): void {
    const now = new Date()
    history.begin({
      ...{ id, origin: 'client-api', verb: 'exec', connection, connectionType: 'command-line' },
      ...{ user: 'ann', script: Buffer.from('x'), labels: {}, metadata: {}, startedAt: now },
    })
    history.finish(id, { exitCode: 0, truncatedBytes: 0, endedAt: now })
  }

  /** Opens the history, has one pass made over it, and closes all. */
  async function start(then: (history: History, upkeep: Upkeep) => void): Promise<void> {
    const history = openHistory(join(folder, 'history.db'))
    opened.push(history)
    const upkeep = new Upkeep(history, () => RETENTION, log)
    opened.push(upkeep)
    then(history, upkeep)
    await upkeep.close()
    history.close()
    opened.length = 0
  }

  test('is 40 days ahead at its start removes nothing, says so, and neither does the next one', async () => {
    await start((history) => {
      run(history, 's1')
      run(history, 'short', 'short')
    })
    vi.setSystemTime(START + 40 * DAY)
    for (const id of ['s2', 's3']) {
      await start((history, upkeep) => {
        expect(history.session('s1')?.status).toBe('done')
        expect(history.session('short')?.status).toBe('done')
        expect(upkeep.doubt).toMatch(/^the clock is 960 hours ahead/)
        // Recorded under the wrong clock: that proves nothing.
        run(history, id)
      })
    }
    expect(lines.filter((line) => line.startsWith('warn clock not trusted'))).toHaveLength(2)
    vi.setSystemTime(START + HOUR)
    await start((history, upkeep) => {
      expect(upkeep.doubt).toMatch(/^the clock is 959 hours behind the latest time/)
      expect(history.session('s1')?.status).toBe('done')
    })
  })

  test('goes as it should removes what is too old', async () => {
    await start((history) => {
      run(history, 's1')
      run(history, 'short', 'short')
    })
    const left = { s1: 0, short: 0 }
    for (let day = 1; day <= 31; day++) {
      vi.setSystemTime(START + day * DAY)
      await start((history) => {
        for (const id of ['s1', 'short'] as const) if (history.session(id) !== undefined) left[id] = day
      })
    }
    await start((history) => expect(history.session('s1')).toBeUndefined())
    expect(left).toEqual({ s1: 30, short: 7 })
    expect(lines).toEqual(Array(2).fill('info old sessions removed from the history'))
  })
})
