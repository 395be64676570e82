import * as v from 'valibot'
import { pathOf, type Sent } from '../../contract/contract.ts'
import { executionContract } from '../../contract/executions.ts'
import { reviewContract } from '../../contract/reviews.ts'
import type { Account } from '../account/account.ts'
import { askJson, Code, type RestReply } from '../rest/json.ts'

export interface RestExecution {
  readonly connection: string
  readonly file: string
  /** Undefined on gateways with only the first version of the interface. */
  readonly repository: string | undefined
  readonly refHash: string | undefined
  readonly parameters: Readonly<Record<string, string>>
  /** Maps `envvar:NAME` or `filesystem:NAME` to the value in base64. */
  readonly envVars: Readonly<Record<string, string>>
  readonly clientArgs: readonly string[]
  readonly metadata: Readonly<Record<string, string>>
  /** Maps the field's id in Jira to the value. */
  readonly jiraFields: Readonly<Record<string, string>>
  /** Whether the gateway itself runs the runbook after the approval. */
  readonly whenApproved?: boolean
  /** Why the user asks. Only the embedded gateway reads it. */
  readonly reason?: string
  /** `run`, or the id of a session: the first run of a pair. Only for a gateway whose list names the first runbook. */
  readonly first?: string
  /** Whether the second runbook is requested although the first run failed. */
  readonly despiteFirst?: boolean
  /** Unique. The client finds the session by this id before the gateway's answer arrives. */
  readonly correlationId: string
}

// This is not the contract's shape. That shape would read a missing exit code as 0 (success), and missing
// names of secrets as an empty list.

const Text = v.nullish(v.string(), null)
const AgentWait = v.object({ agent: v.string(), until: v.string() })
const LockWait = v.object({ lock: v.string(), session_id: Text, user: Text, since: Text, ahead: v.number() })

const Answer = v.object({
  session_id: v.string(),
  output: v.nullish(v.string(), ''),
  output_status: v.nullish(v.string(), ''),
  // -2 means "no code" in hoop's contract.
  exit_code: v.nullish(v.number(), -2),
  truncated: v.nullish(v.boolean(), false),
  execution_time: v.nullish(v.number(), 0),
  has_review: v.nullish(v.boolean(), false),
  // Only the embedded gateway sends the following fields: bytes of replaced secrets, a warning about an old
  // copy of the runbook, the reason for a missing exit code, the lock of another session.
  redacted_bytes: v.nullish(v.number(), 0),
  warning: v.fallback(v.nullish(v.string(), ''), ''),
  code: Code,
  waits_for: v.fallback(v.optional(LockWait, undefined), undefined),
  waits_for_agent: v.fallback(v.optional(AgentWait, undefined), undefined),
  // Whether the gateway itself runs the session after its approval.
  when_approved: v.fallback(v.nullish(v.boolean(), false), false),
})

/** Its texts are as the gateway sent them. */
export type ReadExecution = Readonly<v.InferOutput<typeof Answer>>

/**
 * Maximum bytes of an answer, enough for all recorded output (`RECORDED_BYTES`). A byte may become six in
 * JSON, but real output grows little.
 */
const MAX_ANSWER_BYTES = 384 * 1024 * 1024
/** hoop's gateway answers within 50 s, plus 15 s when the agent is away, plus 30 s to fetch runbooks. */
const ANSWER_MS = 120_000

export interface FollowOptions {
  /** Ends the wait for the answer, but not the execution. */
  readonly signal: AbortSignal
  /**
   * Whether to ask for output during the run. Then the embedded gateway may answer before the end of the
   * execution. hoop's gateway always answers after the end.
   */
  readonly isLive: boolean
  /**
   * Used with `isLive`. If true and the execution ends immediately, the gateway may wait and answer with the
   * end.
   */
  readonly isBriefEndAnswered?: boolean
}

/**
 * Starts a runbook. Status 200 means that the execution has ended, and 202 that it continues.
 * @throws ApiError
 */
export async function startExecution(
  account: Account,
  request: RestExecution,
  asking: FollowOptions,
): Promise<RestReply<ReadExecution>> {
  const question = executing(asking)
  return askJson(account, { ...question, ...addressed(request) }, Answer, MAX_ANSWER_BYTES)
}

/** @throws ApiError */
export async function runApproved(
  account: Account,
  sessionId: string,
  asking: FollowOptions,
): Promise<RestReply<ReadExecution>> {
  const path = pathOf(reviewContract.exec.path, { id: sessionId })
  return askJson(account, { ...executing(asking), path }, Answer, MAX_ANSWER_BYTES)
}

function executing({ signal, isLive, isBriefEndAnswered = false }: FollowOptions) {
  const headers = isLive ? { Prefer: `respond-async${isBriefEndAnswered ? ', brief-wait' : ''}` } : undefined
  return { method: 'POST', answerMs: ANSWER_MS, headers, signal } as const
}

function addressed(request: RestExecution): { path: string; body: object } {
  const { connection, repository } = request
  if (repository === undefined) {
    const path = pathOf(executionContract.runbook.path, { name: connection })
    return { path, body: requestBody(request) }
  }
  const { path } = executionContract.repositoryRunbook
  const body: Sent<typeof executionContract.repositoryRunbook> = {
    connection_name: connection,
    repository,
    ...requestBody(request),
  }
  return { path, body }
}

/** Makes a body that both versions of the interface accept. */
function requestBody(request: RestExecution): Sent<typeof executionContract.runbook> {
  return {
    file_name: request.file,
    ...(request.refHash !== undefined && { ref_hash: request.refHash }),
    parameters: request.parameters,
    env_vars: request.envVars,
    client_args: request.clientArgs,
    metadata: request.metadata,
    ...(Object.keys(request.jiraFields).length > 0 && { jira_fields: request.jiraFields }),
    correlation_id: request.correlationId,
    ...(request.whenApproved === true && { when_approved: true }),
    ...(request.reason !== undefined && { reason: request.reason }),
    ...(request.first !== undefined && { first: request.first }),
    ...(request.despiteFirst === true && { despite_first: true }),
  }
}

const RawRendered = v.looseObject({
  script: v.string(),
  secret_parameters: v.nullish(v.array(v.string())),
  missing: v.nullish(v.array(v.string())),
})

export interface RenderedFile {
  readonly script: string
  /** Undefined when the gateway does not send the names. */
  readonly secretParameters: readonly string[] | undefined
  /** Names of required parameters without a value: the script has placeholders in their places. */
  readonly missing: readonly string[]
}

/** Only the embedded gateway renders scripts; others answer `not-found`. @throws ApiError */
export async function renderLocally(account: Account, request: RestExecution): Promise<RenderedFile> {
  const { connection, repository } = request
  const { method, path } = executionContract.render
  const body: Sent<typeof executionContract.render> = {
    connection_name: connection,
    ...(repository !== undefined && { repository }),
    ...requestBody(request),
    incomplete: true,
  }
  const { value } = await askJson(account, { method, path, body }, RawRendered)
  const { script, secret_parameters: secrets, missing } = value
  return { script, secretParameters: secrets ?? undefined, missing: missing ?? [] }
}
