import * as v from 'valibot'
import type { Account } from '../account/account.ts'
import { askJson } from './http/json.ts'

/** What one group of reviewers has decided. */
export interface ReviewGroup {
  readonly group: string
  readonly status: string
  /** Who has decided for it; empty while nobody has. */
  readonly by: string
  readonly at: string
  readonly isForced: boolean
}

/** A request for approval. Make its texts printable before you show them. */
export interface GatewayReview {
  readonly id: string
  readonly session: string
  /** `onetime`: one execution; `jit`: a terminal, for some time. */
  readonly type: string
  /** PENDING, APPROVED, REJECTED, REVOKED, PROCESSING, EXECUTED. */
  readonly status: string
  readonly createdAt: string
  readonly groups: readonly ReviewGroup[]
  /** How many groups have to approve; undefined where the review does not say. */
  readonly needed: number | undefined
  /** `HH:MM` of a day in UTC. */
  readonly window: { readonly start: string; readonly end: string } | undefined
  /** For how long a terminal is open. */
  readonly durationMs: number
  readonly rejectionReason: string
  readonly rule: string
  /** Undefined where the review is for one session. */
  readonly batch: ReviewedBatch | undefined
  readonly raw: object
}

/** A batch that one approval lets run on all of its connections. Only our own gateway has them. */
export interface ReviewedBatch {
  readonly id: string
  /** Names of connections, wave by wave. */
  readonly waves: readonly (readonly string[])[]
  readonly parallel: number
  readonly threshold: number
}

const Text = v.nullish(v.fallback(v.string(), ''), '')
const Person = v.nullish(
  v.fallback(v.object({ id: Text, name: Text, email: Text }), emptyPerson),
  emptyPerson,
)
const Group = v.object({
  group: Text,
  status: Text,
  reviewed_by: Person,
  review_date: Text,
  forced_review: v.fallback(v.boolean(), false),
})
const Window = v.fallback(
  v.nullish(v.object({ configuration: v.object({ start_time: v.string(), end_time: v.string() }) })),
  null,
)
const Batch = v.fallback(
  v.optional(
    v.object({
      ...{ id: v.string(), waves: v.array(v.array(v.string())), parallel: v.number(), threshold: v.number() },
    }),
  ),
  undefined,
)
const Raw = v.looseObject({ id: v.string(), status: v.string() })
const Facts = v.object({
  ...{ session: Text, type: Text, created_at: Text, rejection_reason: Text, access_request_rule_name: Text },
  access_duration: v.fallback(v.number(), 0),
  min_approvals: v.fallback(v.optional(v.number()), undefined),
  review_groups_data: v.fallback(v.array(Group), []),
  time_window: Window,
  batch: Batch,
})

function emptyPerson(): { id: string; name: string; email: string } {
  return { id: '', name: '', email: '' }
}

/** All that the user may see. @throws ApiError */
export async function listReviews(account: Account, signal?: AbortSignal): Promise<readonly GatewayReview[]> {
  const list = v.nullable(v.array(Raw))
  const { value } = await askJson(account, { method: 'GET', path: '/api/reviews', signal }, list)
  return (value ?? []).map(toReview)
}

/** @param id of the review or of its session @throws ApiError `not-found` */
export async function fetchReview(account: Account, id: string, patienceMs?: number): Promise<GatewayReview> {
  const signal = patienceMs === undefined ? undefined : AbortSignal.timeout(patienceMs)
  const { value } = await askJson(account, { method: 'GET', path: reviewPath(id), signal }, Raw)
  return toReview(value)
}

export interface ReviewerDecision {
  readonly status: 'APPROVED' | 'REJECTED'
  /** Alone, as a member of a group that may. */
  readonly force: boolean
  readonly reason?: string | undefined
  readonly window?: GatewayReview['window']
}

/** @returns the review after it @throws ApiError */
export async function decideReview(
  account: Account,
  id: string,
  decision: ReviewerDecision,
): Promise<GatewayReview> {
  const { status, force, reason, window } = decision
  const body = {
    status,
    ...(force && { force_review: true }),
    ...(reason !== undefined && { rejection_reason: reason }),
    ...(window !== undefined && {
      time_window: {
        type: 'time_range',
        configuration: { start_time: window.start, end_time: window.end },
      },
    }),
  }
  const { value } = await askJson(account, { method: 'PUT', path: reviewPath(id), body }, Raw)
  return toReview(value)
}

function reviewPath(id: string): string {
  return `/api/reviews/${encodeURIComponent(id)}`
}

const NANOSECONDS = 1_000_000

function toReview(raw: v.InferOutput<typeof Raw>): GatewayReview {
  const facts = v.parse(Facts, raw)
  const { time_window, review_groups_data: groups } = facts
  return {
    ...{ id: raw.id, status: raw.status, session: facts.session, type: facts.type, raw },
    createdAt: facts.created_at,
    groups: groups.map(toGroup),
    needed: facts.min_approvals === undefined ? undefined : Math.min(facts.min_approvals, groups.length),
    window: time_window
      ? { start: time_window.configuration.start_time, end: time_window.configuration.end_time }
      : undefined,
    durationMs: facts.access_duration / NANOSECONDS,
    rejectionReason: facts.rejection_reason,
    rule: facts.access_request_rule_name,
    batch: facts.batch,
  }
}

function toGroup({ group, status, reviewed_by, review_date, forced_review }: v.InferOutput<typeof Group>) {
  const by = reviewed_by.email || reviewed_by.name || reviewed_by.id
  return { group, status, by, at: review_date, isForced: forced_review }
}
