import * as v from 'valibot'
import { needed, type Contract, type Frozen } from './contract.ts'
import { text } from './words.ts'

const whole = v.pipe(v.number(), v.integer())

const ScheduleRunShape = v.strictObject({
  id: needed(text),
  due_at: v.nullable(text),
  at: text,
  by: v.nullable(text),
  status: needed(v.picklist(['starting', 'waiting', 'approved', 'running', 'success', 'failed', 'skipped'])),
  code: v.nullable(text),
  reason: v.nullable(text),
  session_id: v.nullable(text),
  exit_code: v.nullable(whole),
})

const schedule = {
  name: needed(text),
  cron: text,
  timezone: text,
  connection: text,
  runbook: text,
  as: text,
  enabled: needed(v.boolean()),
  parameters: v.array(text),
  catch_up: v.picklist(['none', 'once']),
  lock: v.nullable(text),
  next_run: v.nullable(text),
  paused_at: v.nullable(text),
  paused_by: v.nullable(text),
  problem: v.nullable(text),
  last_run: v.nullable(ScheduleRunShape),
  /** The next three due times, including `next_run`. */
  next_runs: v.array(text),
  /** The last five runs, newest first. */
  last_runs: v.array(ScheduleRunShape),
}
const ListedScheduleShape = v.strictObject(schedule)
const ScheduleShape = v.strictObject({ ...schedule, runs: v.array(ScheduleRunShape) })

/** One run of a schedule, or the reason why there was none. */
export type ScheduleRunAnswer = Frozen<v.InferOutput<typeof ScheduleRunShape>>
/** A schedule, as a list shows it. */
export type ListedSchedule = Frozen<v.InferOutput<typeof ListedScheduleShape>>
export type ScheduleAnswer = Frozen<v.InferOutput<typeof ScheduleShape>>

const written = (most: number) =>
  v.pipe(v.string('must be a text'), v.maxLength(most, `must have at most ${most} characters`))

const DraftShape = v.object({
  name: written(100),
  cron: written(100),
  timezone: written(100),
  connection: written(100),
  runbook: written(1000),
  as: written(100),
  parameters: v.optional(v.record(written(200), written(100_000)), {}),
})

const READ = { tag: 'Schedules', method: 'GET', role: 'user', scope: 'scheduled', audit: 'none' } as const
const CHANGE = {
  tag: 'Schedules',
  method: 'POST',
  role: 'standard',
  scope: 'end',
  audit: { action: 'update', type: 'schedules' },
  answers: { 200: ScheduleShape },
  errors: ['not-permitted', 'schedule-not-found', 'history-failed'],
} as const

/** Schedules are set in gateway.yaml: REST can only list, pause, resume and run them. */
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
      'Checks a draft of a schedule: returns its next times, its problems and its lines for gateway.yaml',
    description:
      'Nothing is stored. Each of the `problems` names its field; a problem without a field says why a run would fail now. Only admins may set `as` to another user.',
    role: 'user',
    scope: 'end',
    audit: 'none',
    body: DraftShape,
    answers: {
      200: v.strictObject({
        next_runs: v.array(text),
        problems: v.array(v.strictObject({ field: text, message: text })),
        // Null if the check of gateway.yaml would refuse the lines.
        lines: v.nullable(text),
      }),
    },
    errors: ['not-permitted'],
  },
  run: {
    ...CHANGE,
    path: '/api/schedules/:name/run',
    audit: { action: 'execute', type: 'schedules' },
    summary: 'Runs a schedule now, and answers after its session has begun or could not begin',
    answers: { 200: ScheduleRunShape },
    errors: [...CHANGE.errors, 'schedule-busy', 'gateway-draining'],
  },
  pause: {
    ...CHANGE,
    path: '/api/schedules/:name/pause',
    summary: 'Pauses a schedule: runs that are due meanwhile are skipped',
  },
  resume: {
    ...CHANGE,
    path: '/api/schedules/:name/resume',
    summary: 'Resumes a schedule',
  },
} as const satisfies Contract
