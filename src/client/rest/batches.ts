import * as v from 'valibot'
import type { Account } from '../account/account.ts'
import { askJson } from './http/json.ts'

/** A batch as the gateway shows it. Make its texts printable before you show them. */
export interface GatewayBatch {
  readonly id: string
  /** waiting, running, done, stopped. */
  readonly status: string
  readonly owner: string
  readonly file: string
  readonly createdAt: string
  readonly endedAt: string | undefined
  readonly waves: readonly number[]
  readonly counts: BatchCounts
  readonly stop: { readonly reason: string; readonly message: string } | undefined
  /** The session that waits for approval; undefined where nobody has to approve. */
  readonly reviewSession: string | undefined
  /** Where that session is, in the gateway's words. */
  readonly reviewState: BatchRunResult['state']
  readonly warning: string
  /** Of one batch; empty in a list. */
  readonly runs: readonly BatchRunResult[]
  readonly groups: readonly BatchGroup[]
  readonly raw: object
}

interface BatchCounts {
  readonly total: number
  readonly succeeded: number
  readonly failed: number
  readonly running: number
  readonly not_begun: number
}

export interface BatchRunResult {
  readonly connection: string
  readonly wave: number
  /** not-begun, running, succeeded, failed, unknown. */
  readonly status: string
  /** The state of its session, in the gateway's words; undefined without a session. */
  readonly state: { readonly name: string; readonly text: string } | undefined
  readonly session: string | undefined
  readonly exitCode: number | undefined
  readonly message: string
  readonly startedAt: string
  readonly endedAt: string | undefined
}

/** Runs that have ended alike. */
export interface BatchGroup {
  readonly exitCode: number | undefined
  readonly code: string
  readonly connections: readonly string[]
}

/** How the runs of a batch differ. */
export interface BatchDifferences {
  readonly same: number
  readonly differ: number
  readonly usual: BatchGroup | undefined
  readonly differences: readonly (BatchGroup & { readonly diff: string; readonly note: string })[]
  readonly moreGroups: number
  readonly raw: object
}

const Text = v.nullish(v.fallback(v.string(), ''), '')
const Count = v.fallback(v.number(), 0)
const ExitCode = v.nullish(v.number())
const Group = v.object({ exit_code: ExitCode, code: Text, connections: v.fallback(v.array(v.string()), []) })
const State = v.nullish(v.object({ name: v.string(), text: v.string() }))
const Run = v.object({
  ...{ connection: v.string(), wave: Count, status: v.string(), session_id: v.nullish(v.string()) },
  state: State,
  ...{ exit_code: ExitCode, message: Text, started_at: Text, ended_at: v.nullish(v.string()) },
})
const Raw = v.looseObject({
  ...{ id: v.string(), status: v.string(), owner: Text, file_name: Text, warning: Text },
  ...{ created_at: Text, ended_at: v.nullish(v.string()), waves: v.fallback(v.array(v.number()), []) },
  counts: v.object({ total: Count, succeeded: Count, failed: Count, running: Count, not_begun: Count }),
  stop: v.nullish(v.object({ reason: Text, message: Text })),
  review: v.nullish(v.object({ session_id: v.string(), state: State })),
  runs: v.fallback(v.array(Run), []),
  groups: v.fallback(v.array(Group), []),
})
const RawDifferences = v.looseObject({
  ...{ same: Count, differ: Count, more_groups: Count, usual: v.nullish(Group) },
  differences: v.fallback(v.array(v.object({ ...Group.entries, diff: Text, note: Text })), []),
})

/** What is asked for, in the gateway's own fields. */
export type BatchRequestBody = Readonly<Record<string, unknown>>

/** @throws ApiError */
export async function createBatch(account: Account, body: BatchRequestBody): Promise<GatewayBatch> {
  const question = { method: 'POST', path: '/api/batches', body, answerMs: CREATE_MS } as const
  return toBatch((await askJson(account, question, Raw)).value)
}

/** A repository may have to be fetched, and an issue be created. */
const CREATE_MS = 120_000

/** The newest first. @throws ApiError */
export async function listBatches(account: Account): Promise<readonly GatewayBatch[]> {
  const { value } = await askJson(account, { method: 'GET', path: '/api/batches' }, v.array(Raw))
  return value.map(toBatch)
}

/** @throws ApiError `not-found` */
export async function fetchBatch(account: Account, id: string, signal?: AbortSignal): Promise<GatewayBatch> {
  return toBatch((await askJson(account, { method: 'GET', path: pathOf(id), signal }, Raw)).value)
}

/** Runs what was approved. @throws ApiError */
export async function execBatch(account: Account, id: string): Promise<GatewayBatch> {
  return toBatch((await askJson(account, { method: 'POST', path: `${pathOf(id)}/exec` }, Raw)).value)
}

/** @param kill what runs, too @throws ApiError */
export async function stopBatch(account: Account, id: string, kill: boolean): Promise<GatewayBatch> {
  const question = { method: 'POST', path: `${pathOf(id)}/stop`, body: { kill } } as const
  return toBatch((await askJson(account, question, Raw)).value)
}

/** @throws ApiError */
export async function fetchDifferences(account: Account, id: string): Promise<BatchDifferences> {
  const question = { method: 'GET', path: `${pathOf(id)}/diff` } as const
  const { value: raw } = await askJson(account, question, RawDifferences)
  return {
    ...{ same: raw.same, differ: raw.differ, moreGroups: raw.more_groups, raw },
    usual: raw.usual ? toGroup(raw.usual) : undefined,
    differences: raw.differences.map((one) => ({ ...toGroup(one), diff: one.diff, note: one.note })),
  }
}

function pathOf(id: string): string {
  return `/api/batches/${encodeURIComponent(id)}`
}

function toBatch(raw: v.InferOutput<typeof Raw>): GatewayBatch {
  const { id, status, owner, waves, counts, warning } = raw
  return {
    ...{ id, status, owner, waves, counts, warning, raw, file: raw.file_name, createdAt: raw.created_at },
    endedAt: raw.ended_at ?? undefined,
    stop: raw.stop ?? undefined,
    reviewSession: raw.review?.session_id,
    reviewState: raw.review?.state ?? undefined,
    runs: raw.runs.map(toRun),
    groups: raw.groups.map(toGroup),
  }
}

function toRun(raw: v.InferOutput<typeof Run>): BatchRunResult {
  const { connection, wave, status, message } = raw
  return {
    ...{ connection, wave, status, message, startedAt: raw.started_at, state: raw.state ?? undefined },
    session: raw.session_id ?? undefined,
    exitCode: raw.exit_code ?? undefined,
    endedAt: raw.ended_at ?? undefined,
  }
}

function toGroup({ exit_code: exitCode, code, connections }: v.InferOutput<typeof Group>): BatchGroup {
  return { exitCode: exitCode ?? undefined, code, connections }
}
