import { NO_EXIT_CODE } from '../../../src/basics/exit-code.ts'
import type { BatchRun, BatchState } from '../../../src/gateway/batches/batch.ts'
import { bookAt } from './books.ts'
import { ids, runbookSession } from './past-runs.ts'
import type { PastOptions, PastSession } from './past-session.ts'
import type { Person } from './shop.ts'

const WEB = [1, 2, 3, 4, 5, 6].map((number) => `web-0${number}`)
const HOUR_MS = 3_600_000
const ERRORS = `cp: error writing '/var/lib/workers/queue.db': No space left on device
/ is 97% full, 147 MB left; stopped before the restart
`

/** How long ago, who, which runbook, and the connections that failed or lost their agent. A stopped batch stops after the first failure. */
const PLANS: readonly {
  readonly hoursAgo: number
  readonly owner: Person
  readonly file: string
  readonly failed: readonly string[]
  readonly lost?: string
  readonly stops: boolean
}[] = [
  {
    hoursAgo: 7,
    owner: 'omar.haddad',
    file: 'ops/restart-workers.runbook.sh',
    failed: ['web-03'],
    lost: 'web-02',
    stops: true,
  },
  { hoursAgo: 27, owner: 'priya.nair', file: 'ops/rotate-logs.runbook.sh', failed: [], stops: false },
  {
    hoursAgo: 73,
    owner: 'omar.haddad',
    file: 'deploy/roll-out.runbook.sh',
    failed: ['web-04', 'web-06'],
    stops: false,
  },
  { hoursAgo: 150, owner: 'tom.becker', file: 'ops/disk-space.runbook.sh', failed: [], stops: false },
  {
    hoursAgo: 260,
    owner: 'priya.nair',
    file: 'ops/rotate-certificates.runbook.sh',
    failed: ['web-06'],
    stops: false,
  },
]

export function plannedBatches(options: PastOptions): { batches: BatchState[]; sessions: PastSession[] } {
  const planned = PLANS.map((plan) => plannedBatch(options, plan))
  return {
    batches: planned.map(({ state }) => state).reverse(),
    sessions: planned.flatMap(({ sessions }) => sessions),
  }
}

function plannedBatch(
  options: PastOptions,
  { hoursAgo, owner, file, failed, lost, stops }: (typeof PLANS)[number],
): { state: BatchState; sessions: PastSession[] } {
  const { chance, now, commit } = options
  const id = chance.uuid()
  const book = bookAt(file)
  const createdAt = now.getTime() - hoursAgo * HOUR_MS
  const stopAt = stops ? WEB.findIndex((connection) => failed.includes(connection)) + 1 : WEB.length
  const runs = WEB.map((connection, position): { run: BatchRun; past?: PastSession } => {
    const common = { position, wave: position < 2 ? 1 : 2, connection }
    if (position >= stopAt) return { run: { ...common, status: 'not-begun' } }
    const startedAt = new Date(createdAt + 500 + position * 4000)
    const endedAt = new Date(startedAt.getTime() + chance.between(900, 3800))
    const exitCode = failed.includes(connection) ? 7 : 0
    const session = {
      ...runbookSession(options, { ...ids(options), connection, user: owner, startedAt }, book),
      sessionBatchId: id,
    }
    const text = exitCode === 0 ? `done on ${connection}\n` : ERRORS
    if (connection === lost) {
      const cause = { code: 'agent-lost' } as const
      const end = { exitCode: NO_EXIT_CODE, truncatedBytes: 0, beganAt: startedAt, endedAt, cause }
      const { code } = cause
      const times = { startedAt: startedAt.getTime(), endedAt: endedAt.getTime() }
      const ended = {
        status: 'failed',
        session: session.id,
        code,
        message: 'agent has disconnected',
      } as const
      return { run: { ...common, ...times, ...ended }, past: { session, end, outputs: [] } }
    }
    const end = { exitCode, truncatedBytes: 0, beganAt: startedAt, endedAt }
    const times = { startedAt: startedAt.getTime(), endedAt: endedAt.getTime() }
    return {
      run: {
        ...common,
        ...times,
        status: exitCode === 0 ? 'succeeded' : 'failed',
        session: session.id,
        exitCode,
      },
      past: { session, end, outputs: [{ text, seconds: 0.8, isStderr: exitCode !== 0 }] },
    }
  })
  const last = runs.findLast(({ run }) => run.endedAt !== undefined)?.run.endedAt ?? createdAt
  return {
    state: {
      batch: {
        ...{
          id,
          owner,
          status: stops ? 'stopped' : 'done',
          createdAt,
          startedAt: createdAt + 400,
          endedAt: last,
        },
        ...{ repository: 'books', file, title: book.title, commit, parameters: '{}' },
        ...{ waves: [2, 4], parallel: 1, threshold: stops ? 2 : 3, metadata: {} },
        brought: { envVars: [], hasArguments: false },
        ...(stops && { stop: { reason: 'threshold', message: '2 of the runs failed' } as const }),
      },
      runs: runs.map(({ run }) => run),
    },
    sessions: runs.flatMap(({ past }) => past ?? []),
  }
}
