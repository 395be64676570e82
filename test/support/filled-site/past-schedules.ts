import type { ScheduleRun } from '../../../src/gateway/schedules/schedule-rows.ts'
import { DUE_LABEL, SCHEDULE_LABEL } from '../../../src/gateway/settings/schedules.ts'
import { bookAt } from './books.ts'
import { ids, runbookSession } from './past-runs.ts'
import { PAST_DAYS, type PastOptions, type PastSession } from './past-session.ts'
import type { Person } from './shop.ts'

interface PastScheduleRun {
  readonly run: ScheduleRun
  /** Missing if the run could not begin. */
  readonly session?: string
  readonly exitCode: number | null
}

const DAY_MS = 86_400_000
/** `purge-carts` has failed for this many days. */
const BROKE_DAYS_AGO = 4

const PLANS: readonly {
  readonly name: string
  readonly connection: string
  /** Undefined: no run could begin. */
  readonly file: string | undefined
  readonly as: Person
  readonly hour: number
  readonly exitCode: (daysAgo: number) => number
  readonly reason?: string
}[] = [
  {
    name: 'close-day',
    connection: 'pg-shop-test',
    file: 'db/close-day.runbook.sql',
    as: 'ida.berg',
    hour: 22,
    exitCode: () => 0,
  },
  {
    name: 'orders',
    connection: 'bash',
    file: 'reports/orders.runbook.sh',
    as: 'mia.moreau',
    hour: 6,
    exitCode: () => 0,
  },
  {
    name: 'disk-space',
    connection: 'web-01',
    file: 'ops/disk-space.runbook.sh',
    as: 'omar.haddad',
    hour: 5,
    exitCode: () => 0,
  },
  {
    name: 'purge-carts',
    connection: 'queue-01',
    file: 'db/purge-carts.runbook.sh',
    as: 'ida.berg',
    hour: 3,
    exitCode: (daysAgo) => (daysAgo < BROKE_DAYS_AGO ? 3 : 0),
  },
  {
    name: 'edge-keys',
    connection: 'edge-lisbon-1',
    file: 'security/rotate-keys.runbook.sh',
    as: 'ida.berg',
    hour: 1,
    exitCode: (daysAgo) => (daysAgo < 2 ? -1 : 0),
  },
  {
    name: 'export-ledger',
    connection: 'bash',
    file: undefined,
    as: 'mia.moreau',
    hour: 4,
    exitCode: () => -1,
    reason: 'runbook file not found: reports/export-ledger.runbook.sh',
  },
]

/** A run of each schedule on each day. */
export function plannedSchedules(options: PastOptions): {
  runs: PastScheduleRun[]
  sessions: PastSession[]
} {
  const days = Array.from({ length: PAST_DAYS - 1 }, (_, index) => PAST_DAYS - 1 - index)
  const all = days.flatMap((daysAgo) => PLANS.map((plan) => scheduledRun(options, plan, daysAgo)))
  return {
    runs: all.map(({ run }) => run),
    sessions: all.flatMap(({ past }) => past ?? []),
  }
}

function scheduledRun(
  options: PastOptions,
  { name, connection, file, as, hour, exitCode: exitCodeOn, reason }: (typeof PLANS)[number],
  daysAgo: number,
): { run: PastScheduleRun; past?: PastSession } {
  const { chance, now } = options
  const dueAt = Math.floor(now.getTime() / DAY_MS - daysAgo) * DAY_MS + hour * 3_600_000
  const startedAt = new Date(dueAt + 800)
  const common = {
    id: chance.uuid(),
    schedule: name,
    dueAt,
    at: dueAt + 700,
    by: null,
    session: null,
    exitCode: null,
  }
  if (file === undefined || reason !== undefined) {
    const run = { ...common, outcome: 'failed', code: 'runbook-not-found', reason: reason ?? '' } as const
    return { run: { run, exitCode: null } }
  }
  const book = bookAt(file)
  const { labels, ...session } = runbookSession(
    options,
    { ...ids(options), connection, user: as, startedAt },
    book,
  )
  const exitCode = exitCodeOn(daysAgo)
  const ms = chance.between(300, 9000)
  const texts = exitCode === 0 ? 'done\n' : exitCode === 3 ? 'relation carts does not exist\n' : ''
  const isAway = exitCode < 0
  return {
    run: {
      run: { ...common, outcome: 'starting', code: null, reason: null },
      ...{ session: session.id, exitCode: isAway ? null : exitCode },
    },
    past: {
      session: {
        ...{ ...session, correlationId: common.id },
        labels: { ...labels, [SCHEDULE_LABEL]: name, [DUE_LABEL]: new Date(dueAt).toISOString() },
      },
      end: {
        ...{
          exitCode: isAway ? 254 : exitCode,
          truncatedBytes: 0,
          endedAt: new Date(startedAt.getTime() + ms),
        },
        ...(isAway ? { cause: { code: 'agent-offline' } } : { beganAt: new Date(startedAt.getTime() + 90) }),
      },
      outputs: texts === '' ? [] : [{ text: texts, seconds: 0.2, isStderr: exitCode !== 0 }],
    },
  }
}
