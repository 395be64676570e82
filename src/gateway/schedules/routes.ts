import type { Logger } from '../../basics/logger.ts'
import {
  scheduleContract,
  type ListedSchedule,
  type ScheduleAnswer,
  type ScheduleRunAnswer,
} from '../../contract/schedules.ts'
import type { AnswerOf } from '../../contract/contract.ts'
import type { Handlers } from '../handlers.ts'
import type { History } from '../history/history.ts'
import { type GatewayUser, timeOf } from '../identity.ts'
import type { Users } from '../people/identities/users.ts'
import type { Reviews } from '../reviews/reviews.ts'
import { refused } from '../refusals/request-refused.ts'
import type { ScheduleSettings } from '../settings/schedules.ts'
import { formatDraft, nextOf, readDraft, type ScheduleDraft } from './draft.ts'
import type { ScheduleProblems } from './scheduled-run.ts'
import type { ScheduleRun } from './schedule-rows.ts'
import type { Schedules } from './schedules.ts'

const SHOWN_RUNS = 100
const LISTED_RUNS = 5

interface ScheduleRouting {
  readonly schedules: Schedules
  readonly scheduleProblems: ScheduleProblems
  readonly users: Users
  readonly history: History
  readonly reviews: Reviews
  readonly log: Logger
}

export function scheduleRoutes(services: ScheduleRouting): Handlers<typeof scheduleContract> {
  const { schedules, log } = services
  return {
    list: ({ user }) => {
      const visible = schedules.all.filter((schedule) => isVisible(services, user, schedule))
      return Promise.all(visible.map((schedule) => listed(services, user, schedule)))
    },
    foresee: ({ user, body }) => foreseen(services, user, body),
    show: ({ user, params }) => shown(services, user, found(services, user, params.name)),
    run: async ({ user, params }) => {
      const schedule = changeable(services, user, params.name)
      return runAnswer(services, user, await schedules.runNow(schedule, user.name))
    },
    pause: ({ user, params }) => {
      const schedule = changeable(services, user, params.name)
      schedules.pause(schedule, user.name)
      log.info({ schedule: schedule.name, user: user.name }, 'schedule: paused by hand')
      return shown(services, user, schedule)
    },
    resume: ({ user, params }) => {
      const schedule = changeable(services, user, params.name)
      schedules.pause(schedule, null)
      log.info({ schedule: schedule.name, user: user.name }, 'schedule: resumed by hand')
      return shown(services, user, schedule)
    },
  }
}

/** The answer depends on the rights of the schedule's user, so only admins may draft for others. */
async function foreseen(
  { schedules, scheduleProblems, users }: ScheduleRouting,
  user: GatewayUser,
  draft: ScheduleDraft,
): Promise<AnswerOf<typeof scheduleContract.foresee>> {
  if (draft.as !== user.name && !users.isAdmin(user)) throw refused('not-permitted/draft-as-another')
  const next = nextOf(draft, Date.now()).map((time) => new Date(time).toISOString())
  const read = readDraft(draft)
  if ('problems' in read) return { next_runs: next, problems: [...read.problems], lines: null }
  if (schedules.all.some(({ name }) => name === draft.name)) {
    const message = 'a schedule with this name already exists'
    return { next_runs: next, problems: [{ field: 'name', message }], lines: null }
  }
  const problem = await scheduleProblems.of(read.schedule)
  const problems = problem === undefined ? [] : [{ field: '', message: problem }]
  return { next_runs: next, problems, lines: formatDraft(draft, schedules.all.length === 0) }
}

/**
 * Users see the schedules of their connections, and schedules that run under their own name. Admins and
 * auditors see all.
 */
function isVisible(
  { users }: ScheduleRouting,
  user: GatewayUser,
  { connection, as }: ScheduleSettings,
): boolean {
  return users.seesAll(user) || as === user.name || users.connection(user, connection) !== undefined
}

/** @throws RequestRefused `schedule-not-found` */
function found(services: ScheduleRouting, user: GatewayUser, name: string): ScheduleSettings {
  const schedule = services.schedules.all.find((one) => one.name === name)
  if (schedule === undefined || !isVisible(services, user, schedule))
    throw refused('schedule-not-found', { name })
  return schedule
}

/**
 * Admins may change every schedule, other users only schedules that run under their own name.
 * @throws RequestRefused
 */
function changeable(services: ScheduleRouting, user: GatewayUser, name: string): ScheduleSettings {
  const schedule = found(services, user, name)
  if (services.users.isAdmin(user) || schedule.as === user.name) return schedule
  throw refused('not-permitted/schedule-of-another', { user: schedule.as, name })
}

/** Values of parameters and fields of issues are left out, because they may be secrets. */
async function listed(
  services: ScheduleRouting,
  user: GatewayUser,
  schedule: ScheduleSettings,
): Promise<ListedSchedule> {
  const { schedules, scheduleProblems } = services
  const { name, parameters, jiraFields, catchesUp, lock, ...asSet } = schedule
  const state = schedules.state(name)
  const runs = schedules.runs(name, LISTED_RUNS).map((run) => runAnswer(services, user, run))
  const next = schedules.next(schedule)
  return {
    name,
    ...asSet,
    parameters: Object.keys(parameters),
    catch_up: catchesUp ? 'once' : 'none',
    lock: lock ?? null,
    next_run: timeOf(next),
    paused_at: timeOf(state?.pausedAt),
    paused_by: state?.pausedBy ?? null,
    problem: (await scheduleProblems.of(schedule)) ?? null,
    last_run: runs[0] ?? null,
    next_runs: (next === undefined ? [] : nextOf(schedule, next - 1)).map((time) =>
      new Date(time).toISOString(),
    ),
    last_runs: runs,
  }
}

async function shown(
  services: ScheduleRouting,
  user: GatewayUser,
  schedule: ScheduleSettings,
): Promise<ScheduleAnswer> {
  const runs = services.schedules.runs(schedule.name, SHOWN_RUNS)
  return {
    ...(await listed(services, user, schedule)),
    runs: runs.map((run) => runAnswer(services, user, run)),
  }
}

function runAnswer(services: ScheduleRouting, user: GatewayUser, run: ScheduleRun): ScheduleRunAnswer {
  const { id, dueAt, at, by, code, reason, session: sid, exitCode } = run
  const session = sid === null ? undefined : services.history.session(sid)
  return {
    id,
    due_at: timeOf(dueAt),
    at: new Date(at).toISOString(),
    by,
    status: statusOf(services, run),
    code,
    reason,
    session_id: session !== undefined && services.reviews.showsSession(user, session) ? session.id : null,
    exit_code: exitCode,
  }
}

function statusOf(
  { history }: ScheduleRouting,
  { outcome, session: sid, exitCode }: ScheduleRun,
): ScheduleRunAnswer['status'] {
  if (outcome === 'ended') return exitCode === 0 ? 'success' : 'failed'
  if (outcome !== 'started') return outcome
  // The session and `started` are written together.
  if (sid === null) return 'starting'
  const session = history.session(sid)
  if (session?.status === 'ready') return 'approved'
  return session?.review?.status === 'PENDING' ? 'waiting' : 'running'
}
