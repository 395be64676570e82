import * as v from 'valibot'
import type { Account } from '../account/account.ts'
import { askJson } from './http/json.ts'

/** One run of a schedule. Texts are as the gateway sent them, empty where there are none. */
export interface ScheduledRun {
  /** starting, waiting, approved, running, success, failed, skipped. */
  readonly status: string
  readonly dueAt: string
  readonly at: string
  readonly by: string
  readonly reason: string
  readonly session: string
  readonly raw: object
}

/** A runbook that runs by itself. Make its texts printable before you show them. */
export interface Schedule {
  readonly name: string
  readonly cron: string
  readonly timezone: string
  readonly connection: string
  readonly runbook: string
  readonly as: string
  readonly enabled: boolean
  readonly next: string
  readonly pausedAt: string
  readonly pausedBy: string
  readonly problem: string
  readonly last: ScheduledRun | undefined
  /** Newest first; empty in a list. */
  readonly runs: readonly ScheduledRun[]
  readonly raw: object
}

const Text = v.fallback(v.nullish(v.string(), ''), '')
const RawRun = v.looseObject({ id: v.string(), status: v.string() })
const Run = v.object({ due_at: Text, at: Text, by: Text, reason: Text, session_id: Text })
const Raw = v.looseObject({ name: v.string() })
const Facts = v.object({
  ...{ cron: Text, timezone: Text, connection: Text, runbook: Text, as: Text, next_run: Text },
  ...{ paused_at: Text, paused_by: Text, problem: Text },
  enabled: v.fallback(v.boolean(), true),
  last_run: v.fallback(v.nullish(RawRun), null),
  runs: v.fallback(v.array(RawRun), []),
})

/** @throws ApiError */
export async function listSchedules(account: Account): Promise<readonly Schedule[]> {
  const { value } = await askJson(account, { method: 'GET', path: PLACE }, v.array(Raw))
  return value.map(toSchedule)
}

/** @throws ApiError `not-found` */
export async function fetchSchedule(account: Account, name: string): Promise<Schedule> {
  const { value } = await askJson(account, { method: 'GET', path: pathOf(name) }, Raw)
  return toSchedule(value)
}

/** Runs it now. A gateway reads its runbook first, and may ask Jira. @throws ApiError */
export async function runSchedule(account: Account, name: string): Promise<ScheduledRun> {
  const question = { method: 'POST', path: `${pathOf(name)}/run`, answerMs: 300_000 } as const
  return toRun((await askJson(account, question, RawRun)).value)
}

/** @returns it as it is then @throws ApiError */
export async function pauseSchedule(account: Account, name: string, isPaused: boolean): Promise<Schedule> {
  const path = `${pathOf(name)}/${isPaused ? 'pause' : 'resume'}`
  return toSchedule((await askJson(account, { method: 'POST', path }, Raw)).value)
}

const PLACE = '/api/schedules'

function pathOf(name: string): string {
  return `${PLACE}/${encodeURIComponent(name)}`
}

function toSchedule(raw: v.InferOutput<typeof Raw>): Schedule {
  const facts = v.parse(Facts, raw)
  const { cron, timezone, connection, runbook, as, enabled, problem } = facts
  return {
    ...{ name: raw.name, raw, cron, timezone, connection, runbook, as, enabled, problem },
    ...{ next: facts.next_run, pausedAt: facts.paused_at, pausedBy: facts.paused_by },
    last: facts.last_run ? toRun(facts.last_run) : undefined,
    runs: facts.runs.map(toRun),
  }
}

function toRun(raw: v.InferOutput<typeof RawRun>): ScheduledRun {
  const { due_at: dueAt, at, by, reason, session_id: session } = v.parse(Run, raw)
  return { status: raw.status, dueAt, at, by, reason, session, raw }
}
