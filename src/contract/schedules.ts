import * as v from 'valibot'
import { needed, type Contract, type Frozen } from './contract.ts'
import { MAX_REASON_CHARACTERS } from './reason.ts'
import { about, moment, text, time } from './words.ts'

const whole = v.pipe(v.number(), v.integer())

const ScheduleRunShape = v.strictObject({
  id: needed(about('id of the run, and correlation id of its session', text)),
  due_at: about(
    'when the run was due; null if a user started the run, and for due times that were skipped together',
    time,
  ),
  at: about('when the gateway began or skipped the run', moment),
  by: about('name of the user who started the run; null if the run was due', v.nullable(text)),
  status: needed(
    about(
      'starting: the run has no session yet; waiting: the session waits for approval; approved: the session is approved and has not run yet; running: the session runs, or waits for a lock; success: exit code 0; failed: another exit code, or the run could not begin (`code`); skipped: see `reason`',
      v.picklist(['starting', 'waiting', 'approved', 'running', 'success', 'failed', 'skipped']),
    ),
  ),
  code: about('code of the refusal if the run could not begin; null otherwise', v.nullable(text)),
  reason: about(
    'why the run was skipped, could not begin, or did not run after its approval; null otherwise',
    v.nullable(text),
  ),
  session_id: about(
    'id of the session; null if the run has no session, if the session is no longer recorded, or if the caller may not see it',
    v.nullable(text),
  ),
  exit_code: about(
    'exit code of the session; null until the end of the session, and if there is no session',
    v.nullable(whole),
  ),
})

const schedule = {
  name: needed(about('name of the schedule', text)),
  cron: about('rule of the due times: five fields of cron, or a word such as @daily', text),
  timezone: about('time zone of the rule, such as Europe/Berlin', text),
  connection: about('name of the connection', text),
  runbook: about('path of the runbook', text),
  as: about('name of the user who owns the runs', text),
  enabled: needed(about('whether the schedule is enabled in gateway.yaml', v.boolean())),
  parameters: about(
    'names of the parameters; the values are not shown, because they may be secrets',
    v.array(text),
  ),
  reason: about('reason of each run; empty if the schedule has no reason', text),
  catch_up: about(
    'how missed due times are treated, for example after the gateway was stopped. once: the last missed time runs late; none: all missed times are skipped',
    v.picklist(['none', 'once']),
  ),
  lock: about(
    'lock that the schedule sets for its runs, in addition to locks whose rules match the runs; null if the schedule sets no lock',
    v.nullable(text),
  ),
  next_run: about(
    'when the schedule is due next; null while it is paused or not `enabled`, or if it is never due',
    time,
  ),
  paused_at: about('when the schedule was paused; null if it is not paused', time),
  paused_by: about('name of the user who paused the schedule; null if it is not paused', v.nullable(text)),
  problem: about(
    'why a run could not begin now, checked at most a minute ago; null if a run could begin',
    v.nullable(text),
  ),
  last_run: about('the last run; null before the first run', v.nullable(ScheduleRunShape)),
  next_runs: about(
    'the next three due times, `next_run` first; empty if `next_run` is null',
    v.array(moment),
  ),
  last_runs: about('the last five runs, the newest first', v.array(ScheduleRunShape)),
}
const ListedScheduleShape = v.strictObject(schedule)
const ScheduleShape = v.strictObject({
  ...schedule,
  runs: about(
    'the last 100 runs, the newest first; only in the answer for one schedule',
    v.array(ScheduleRunShape),
  ),
})

/** A run of a schedule, or the reason why a due run was skipped. */
export type ScheduleRunAnswer = Frozen<v.InferOutput<typeof ScheduleRunShape>>
export type ListedSchedule = Frozen<v.InferOutput<typeof ListedScheduleShape>>
export type ScheduleAnswer = Frozen<v.InferOutput<typeof ScheduleShape>>

const written = (most: number) =>
  v.pipe(v.string('must be a string'), v.maxLength(most, `must have at most ${most} characters`))

const DraftShape = v.object({
  name: written(100),
  cron: written(100),
  timezone: written(100),
  connection: written(100),
  runbook: written(1000),
  as: written(100),
  reason: v.optional(written(MAX_REASON_CHARACTERS), ''),
  parameters: v.optional(v.record(written(200), written(100_000)), {}),
})

const READ = { tag: 'Schedules', method: 'GET', role: 'user', scope: 'scheduled', audit: 'none' } as const
const CHANGE = {
  tag: 'Schedules',
  method: 'POST',
  role: 'standard',
  scope: 'end',
  answers: { 200: ScheduleShape },
  errors: ['not-permitted', 'schedule-not-found', 'history-failed'],
} as const

/** Schedules are set in gateway.yaml, so REST can only list, pause, resume and run them. */
export const scheduleContract = {
  list: {
    ...READ,
    path: '/api/schedules',
    summary: 'Lists schedules with their next and last runs',
    answers: { 200: v.array(ListedScheduleShape) },
    errors: ['history-failed'],
  },
  show: {
    ...READ,
    path: '/api/schedules/:name',
    summary: 'Shows a schedule and its last 100 runs; a skipped run has the reason',
    answers: { 200: ScheduleShape },
    errors: ['schedule-not-found', 'history-failed'],
  },
  foresee: {
    tag: 'Schedules',
    method: 'POST',
    path: '/api/schedules/foresee',
    summary:
      'Checks a draft of a schedule: returns its next due times, its problems and its lines for gateway.yaml',
    description:
      'Nothing is stored. Each of the `problems` has the name of its field; a problem without a field is the reason why a run would fail now. Only admins may set `as` to another user.',
    role: 'user',
    scope: 'end',
    audit: 'none',
    body: DraftShape,
    answers: {
      200: v.strictObject({
        next_runs: about(
          'next three due times; empty if the rule or its time zone is wrong',
          v.array(moment),
        ),
        problems: about(
          'problems of the draft, each with its field; `field` is empty for the reason why a run could not begin now',
          v.array(v.strictObject({ field: text, message: text })),
        ),
        lines: about('lines for gateway.yaml; null if its check would refuse them', v.nullable(text)),
      }),
    },
    errors: ['not-permitted'],
  },
  run: {
    ...CHANGE,
    path: '/api/schedules/:name/run',
    audit: { action: 'execute', type: 'schedules', verb: 'ran a schedule' },
    summary: 'Runs a schedule now, and answers after the session has begun or could not begin',
    answers: { 200: ScheduleRunShape },
    errors: [...CHANGE.errors, 'schedule-busy', 'gateway-draining'],
  },
  pause: {
    ...CHANGE,
    path: '/api/schedules/:name/pause',
    audit: { action: 'update', type: 'schedules', verb: 'paused a schedule' },
    summary: 'Pauses a schedule; runs that are due during the pause are skipped',
  },
  resume: {
    ...CHANGE,
    path: '/api/schedules/:name/resume',
    audit: { action: 'update', type: 'schedules', verb: 'resumed a schedule' },
    summary: 'Resumes a schedule',
  },
} as const satisfies Contract
