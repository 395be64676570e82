import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { History } from '../../../src/gateway/history/history.ts'
import { openHistory } from '../../../src/gateway/rooms.ts'
import { RequestRefused } from '../../../src/gateway/refusals/request-refused.ts'
import { Schedules } from '../../../src/gateway/schedules/schedules.ts'
import type { ScheduleRun } from '../../../src/gateway/schedules/schedule-rows.ts'
import type { ScheduleSettings } from '../../../src/gateway/settings/schedules.ts'
import { waitFor } from '../../support/wait.ts'

// A real history, a clock that the test sets, and sessions that begin and end when it says so.

const HOUR = 3_600_000
const NOON = Date.parse('2026-06-01T12:00Z')
const HOURLY: ScheduleSettings = {
  ...{ name: 'hourly', cron: '0 * * * *', timezone: 'UTC', connection: 'pg', runbook: 'a.sh', as: 'bot' },
  ...{ parameters: {}, jiraFields: {}, reason: '', catchesUp: false, enabled: true },
}

let folder: string
let history: History
let now: number
let log: string[]
let begun: string[]
let current: { value: { schedules: readonly ScheduleSettings[] } }
let begin: (id: string) => Promise<string>
let schedules: Schedules | undefined
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'schedules-'))
  history = open()
  now = NOON + 1
  log = []
  begun = []
  current = { value: { schedules: [HOURLY] } }
  begin = (id) => Promise.resolve(session(id))
})
afterEach(() => {
  schedules?.close()
  schedules = undefined
  history.close()
  rmSync(folder, { recursive: true })
})

const open = () => openHistory(join(folder, 'history.sqlite'), { flushAfterMs: 5 })

function session(correlationId: string): string {
  const id = `s${begun.length + 1}`
  begun.push(id)
  history.begin({
    ...{
      id,
      origin: 'client-api-runbooks',
      verb: 'exec',
      connection: 'pg',
      connectionType: 'custom',
      user: 'bot',
    },
    ...{ script: Buffer.alloc(0), labels: {}, metadata: {}, startedAt: new Date(), correlationId },
  })
  return id
}

const end = (id: string, exitCode = 0) =>
  history.finish(id, { exitCode, truncatedBytes: 0, endedAt: new Date() })

function start(): Schedules {
  const write = (fields: object, message: string) => void log.push(`${message} ${JSON.stringify(fields)}`)
  schedules = new Schedules({
    ...{
      history,
      settings: current,
      now: () => now,
      log: { debug: write, info: write, warn: write, error: write },
    },
    start: (_, { id }) => begin(id),
    runApproved: () => Promise.resolve(undefined),
  })
  schedules.tick()
  return schedules
}

/** The next process, after this one was killed. */
function restart(): Schedules {
  schedules?.close()
  history.close()
  history = open()
  return start()
}

async function tickAt(time: number): Promise<void> {
  now = time
  schedules?.tick()
  await waitFor(() => runs().every(({ outcome }) => outcome !== 'starting'))
}

const runs = (): readonly ScheduleRun[] => schedules?.runs('hourly', 100) ?? []
const told = () =>
  runs().map(({ outcome, dueAt }) => [outcome, dueAt === null ? null : (dueAt - NOON) / HOUR])

it('a new schedule begins with its next time, and then runs each once', async () => {
  expect(start().next(HOURLY)).toBe(NOON + HOUR)
  await tickAt(NOON + HOUR - 1)
  expect(runs()).toEqual([])
  for (const late of [0, 1000, 2000]) await tickAt(NOON + HOUR + late)
  expect(told()).toEqual([['started', 1]])
  end('s1', 3)
  await tickAt(NOON + HOUR + 3000)
  expect(runs()[0]).toMatchObject({ outcome: 'ended', session: 's1', exitCode: 3 })
  expect(schedules?.next(HOURLY)).toBe(NOON + 2 * HOUR)
})

it('a run is skipped, and says why, while the one before is not over: also after a restart', async () => {
  start()
  await tickAt(NOON + HOUR)
  await tickAt(NOON + 2 * HOUR)
  expect(told()).toEqual([
    ['skipped', 2],
    ['started', 1],
  ])
  expect(runs()[0]?.reason).toBe('session s1 still runs')
  end('s1')
  await tickAt(NOON + 3 * HOUR)
  expect(told()[0]).toEqual(['started', 3])
  restart()
  // The session of the process that is gone has ended with it.
  await tickAt(NOON + 4 * HOUR)
  expect(told()[0]).toEqual(['started', 4])
})

it('what was due while nobody was there is left out, or its last time runs', async () => {
  start()
  now = NOON + 5.5 * HOUR
  restart()
  expect(told()).toEqual([['skipped', null]])
  expect(runs()[0]?.reason).toMatch(
    /^missed the due times from 2026-06-01T13:00:00.000Z to 2026-06-01T17:00:00.000Z: the gateway was down/,
  )
  current.value = { schedules: [{ ...HOURLY, catchesUp: true }] }
  await tickAt(NOON + 7.5 * HOUR)
  expect(told()).toEqual([
    ['started', 7],
    ['skipped', null],
    ['skipped', null],
  ])
})

it('what comes due while the gateway stops begins nothing, and is for the next start', async () => {
  start().close()
  await tickAt(NOON + HOUR)
  expect([told(), begun]).toEqual([[], []])
  current.value = { schedules: [{ ...HOURLY, catchesUp: true }] }
  restart()
  await tickAt(NOON + 1.5 * HOUR)
  expect(told()).toEqual([['started', 1]])
})

it('a due time that was claimed never runs twice, wherever the process is killed', async () => {
  begin = () => new Promise(() => undefined)
  start()
  now = NOON + HOUR
  schedules?.tick()
  expect(told()).toEqual([['starting', 1]])
  begin = (id) => Promise.resolve(session(id))
  restart()
  expect(runs()[0]).toMatchObject({ outcome: 'failed', code: 'gateway-stopped' })
  await tickAt(NOON + HOUR + 1000)
  expect([told().length, begun]).toEqual([1, []])
})

it('a session that had begun before the kill is found again', async () => {
  begin = (id) => {
    session(id)
    return new Promise(() => undefined)
  }
  start()
  now = NOON + HOUR
  schedules?.tick()
  await waitFor(() => begun.length > 0)
  restart()
  await tickAt(NOON + HOUR + 1000)
  expect(runs()[0]).toMatchObject({ outcome: 'ended', session: 's1', exitCode: 254 })
})

it('a clock that flaps by years starts no storm', async () => {
  start()
  await tickAt(NOON + HOUR)
  end('s1')
  const year = 365 * 24 * HOUR
  for (let count = 0; count < 21; count++) await tickAt(NOON + HOUR + (count % 2) * 10 * year)
  expect(begun.length).toBeLessThanOrEqual(2)
  for (const id of begun.slice(1)) end(id)
  await tickAt(NOON + 2 * HOUR)
  expect(told()[0]).toEqual(['started', 2])
})

it('a due time that has run does not run again when the clock is set back by days and goes on', async () => {
  start()
  await tickAt(NOON + HOUR)
  end('s1')
  await tickAt(NOON - 72 * HOUR)
  await tickAt(NOON + HOUR)
  expect(begun).toEqual(['s1'])
  await tickAt(NOON + 2 * HOUR)
  expect(begun).toEqual(['s1', 's2'])
})

it('what cannot begin is a failed run with a code', async () => {
  begin = () => Promise.reject(new RequestRefused('runbook-not-found', 'runbook file a.sh not found'))
  start()
  await tickAt(NOON + HOUR)
  expect(runs()[0]).toMatchObject({
    outcome: 'failed',
    code: 'runbook-not-found',
    reason: 'runbook file a.sh not found',
  })
  expect(log.at(-1)).toContain('schedule: not run')
})

it('nothing runs that could not be written down, and what was due then is run when it can', async () => {
  start()
  history.close()
  now = NOON + HOUR
  schedules?.tick()
  schedules?.tick()
  expect([begun, log.filter((line) => line.includes('schedules wait'))]).toEqual([
    [],
    [expect.stringContaining('closed')],
  ])
  history = open()
  start()
  await waitFor(() => told()[0]?.[0] === 'started')
})

it('two that ask for a run at once get one, and the other is told why', async () => {
  start()
  const asked = await Promise.allSettled([schedules?.runNow(HOURLY, 'ann'), schedules?.runNow(HOURLY, 'bea')])
  expect(asked).toMatchObject([
    { status: 'fulfilled', value: { outcome: 'started', by: 'ann', dueAt: null, session: 's1' } },
    {
      status: 'rejected',
      reason: { message: 'schedule hourly cannot run twice at the same time: another run is about to start' },
    },
  ])
  await expect(schedules?.runNow(HOURLY, 'bea')).rejects.toThrow('session s1 still runs')
})

it('a pause survives a restart, and what was due in it is left out without a word', async () => {
  start().pause(HOURLY, 'ann')
  restart()
  await tickAt(NOON + 3.5 * HOUR)
  expect([runs(), schedules?.next(HOURLY), schedules?.state('hourly')?.pausedBy]).toEqual([
    [],
    undefined,
    'ann',
  ])
  schedules?.pause(HOURLY, null)
  await tickAt(NOON + 4 * HOUR)
  expect(told()).toEqual([['started', 4]])
})

it('another rule begins anew, and a schedule that is gone is forgotten', async () => {
  start()
  await tickAt(NOON + HOUR)
  end('s1')
  now = NOON + 3.5 * HOUR
  current.value = { schedules: [{ ...HOURLY, cron: '30 * * * *', catchesUp: true }] }
  schedules?.tick()
  expect(told()).toEqual([['ended', 1]])
  current.value = { schedules: [] }
  schedules?.tick()
  expect(runs()).toEqual([])
})
