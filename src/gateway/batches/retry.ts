import {
  USUAL_RETRY_GROUPS,
  type BatchBody,
  type NotRecorded,
  type RetryBody,
  type RetryRefusal,
} from '../../contract/batch-requests.ts'
import { repositoryNamed } from '../executions/runbook-access.ts'
import { NOT_RECORDED } from '../executions/runbook-request.ts'
import type { History } from '../history/history.ts'
import type { LongWork } from '../long-work.ts'
import { refused, RequestRefused } from '../refusals/request-refused.ts'
import { hasFault } from '../refusals/runbook-errors.ts'
import { RecordRedactions } from '../sessions/session-record.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { AskedBatch } from './asked-batch.ts'
import type { Batch, BatchRun, BatchState } from './batch.ts'
import { scriptDifference, type Difference } from './comparison.ts'
import { prepareBatch, type BatchAsking, type PreparingServices } from './prepare-batch.ts'
import { retryGroup, traceOf } from './retry-group.ts'

export interface RetryServices extends PreparingServices {
  readonly history: History
  readonly sessions: Sessions
  readonly longWork: LongWork
}

/**
 * Prepares a batch that runs connections of an ended batch again. Checks the rights and rules of the present.
 * @throws RequestRefused
 */
export async function prepareRetry(
  services: RetryServices,
  asking: BatchAsking,
  { batch, runs }: BatchState,
  body: RetryBody,
): Promise<AskedBatch> {
  const chosen = chosenRuns(services, { batch, runs }, body.connections ?? undefined)
  checkValues(batch, body)
  const request = repeatedBody(services, batch, chosen, body)
  const asked = await atCommit(services, { asking, batch, runs, request }, body.commit ?? undefined)
  return { ...asked, retryOf: batch.id }
}

/** @throws RequestRefused */
function chosenRuns(
  services: RetryServices,
  { batch, runs }: BatchState,
  named: readonly string[] | undefined,
): readonly BatchRun[] {
  const groups = new Map(
    runs.map((run) => {
      const session = run.session === undefined ? undefined : services.history.session(run.session)
      return [run, retryGroup(run, traceOf(services, session))] as const
    }),
  )
  if (named === undefined) {
    const usual = runs.filter((run) => USUAL_RETRY_GROUPS.some((group) => group === groups.get(run)))
    if (usual.length > 0) return usual
    throw refused('batch-wrong-state/nothing-to-retry', { id: batch.id })
  }
  const known = new Map(runs.map((run) => [run.connection, run]))
  for (const name of named) {
    const run = known.get(name)
    if (run === undefined) throw refused('invalid-request/foreign-connection', { name })
    if (groups.get(run) === undefined) throw refused('invalid-request/succeeded-connection', { name })
  }
  const chosen = runs.filter(({ connection }) => named.includes(connection))
  if (chosen.length > 0) return chosen
  throw refused('invalid-request/no-retried-connection')
}

/** What the request of the batch had, but the history does not have. */
export function notRecorded({ parameters, brought }: Batch): NotRecorded {
  return {
    parameters: Object.entries(recordedParameters(parameters))
      .filter(([, value]) => value === NOT_RECORDED)
      .map(([name]) => name),
    env_vars: brought?.envVars ?? [],
    client_args: brought?.hasArguments === true,
  }
}

function recordedParameters(json: string): Readonly<Record<string, string>> {
  return JSON.parse(json) as Record<string, string>
}

/**
 * Accepts exactly the values that are not recorded: others would make another batch of it.
 * @throws RequestRefused
 */
function checkValues(batch: Batch, body: RetryBody): void {
  const wanted = notRecorded(batch)
  const missing = {
    parameters: wanted.parameters.filter((name) => !Object.hasOwn(body.parameters, name)),
    env_vars: wanted.env_vars.filter((name) => !Object.hasOwn(body.env_vars, name)),
    client_args: wanted.client_args && body.client_args == null,
  }
  const names = [
    ...missing.parameters.map((name) => `parameter ${name}`),
    ...missing.env_vars.map((name) => `variable ${name}`),
    ...(missing.client_args ? ['client_args'] : []),
  ]
  if (names.length > 0) throw refused('values-missing', { names: names.join(', ') }, { retry: { missing } })
  const others = [
    ...Object.keys(body.parameters).filter((name) => !wanted.parameters.includes(name)),
    ...Object.keys(body.env_vars).filter((name) => !wanted.env_vars.includes(name)),
    ...((body.client_args ?? []).length > 0 && !wanted.client_args ? ['client_args'] : []),
  ]
  if (others.length > 0) throw refused('invalid-request/values-of-retry', { fields: others.join(', ') })
}

/** Keeps each connection in its wave. A wave without chosen connections is left out. */
function repeatedBody(
  { batches }: Pick<RetryServices, 'batches'>,
  batch: Batch,
  chosen: readonly BatchRun[],
  body: RetryBody,
): BatchBody {
  const waves = new Map<number, number>()
  for (const { wave } of chosen) waves.set(wave, (waves.get(wave) ?? 0) + 1)
  return {
    file_name: batch.file,
    ref_hash: batch.commit,
    repository: batch.repository,
    parameters: { ...recordedParameters(batch.parameters), ...body.parameters },
    env_vars: body.env_vars,
    client_args: body.client_args ?? [],
    jira_fields: body.jira_fields,
    when_approved: body.when_approved,
    reason: body.reason,
    metadata: batch.metadata,
    connections: chosen.map(({ connection }) => connection),
    tags: {},
    waves: [...waves.values()],
    parallel: Math.min(batch.parallel, batches.mostParallel),
    stop_after: batch.threshold,
  }
}

interface Repetition {
  readonly asking: BatchAsking
  readonly batch: Batch
  readonly runs: readonly BatchRun[]
  readonly request: BatchBody
}

/**
 * Prepares the batch at its commit. If the commit is gone, prepares the batch at the present commit, but only if
 * the caller names this commit and thus has seen what it changes.
 * @throws RequestRefused
 */
async function atCommit(
  services: RetryServices,
  repetition: Repetition,
  commit: string | undefined,
): Promise<AskedBatch> {
  const { asking, batch, request } = repetition
  try {
    const asked = await prepareBatch(services, asking, request)
    if (commit === undefined || commit === asked.commit) return asked
  } catch (error) {
    // Rights are checked before the file is read, so a caller without rights does not get here.
    if (!(await isCommitGone(services, batch, error))) throw error
    const present = await prepareBatch(services, asking, { ...request, ref_hash: '' })
    if (present.commit === commit) return present
    throw await commitGone(services, repetition, present)
  }
  throw refused('invalid-request/commit-there', { commit: batch.commit })
}

const ABOUT_COMMIT = new Set(['runbook-not-found', 'invalid-request'])

async function isCommitGone(services: RetryServices, batch: Batch, error: unknown): Promise<boolean> {
  if (!(error instanceof RequestRefused) || !ABOUT_COMMIT.has(error.code)) return false
  const { repository } = repositoryNamed(services, services.repositories.called(batch.repository)?.name)
  try {
    await repository.readFile(batch.file, batch.commit)
    return false
  } catch (fault) {
    return hasFault(fault, 'missing', 'ref')
  }
}

async function commitGone(
  services: RetryServices,
  { asking, batch, runs }: Repetition,
  present: AskedBatch,
): Promise<RequestRefused> {
  const change = await services.longWork.run(asking.user.name, () => compareScripts(services, runs, present))
  const { commit } = present
  const extras = { retry: { present: { commit, ...change } } }
  return refused('commit-gone', { commit: batch.commit, present: commit }, extras)
}

type Change = Omit<NonNullable<RetryRefusal['present']>, 'commit'>

/** Compares the recorded script of a run with the script of now, in which the same secrets are replaced. */
async function compareScripts(
  { history }: RetryServices,
  runs: readonly BatchRun[],
  { request, connections, commit }: AskedBatch,
): Promise<Change> {
  const ran = runs.find(({ session }) => session !== undefined && history.session(session) !== undefined)
  const connection = connections.find(({ name }) => name === ran?.connection) ?? connections[0]
  if (ran?.session === undefined || connection === undefined)
    return { diff: null, note: 'no script of the batch is recorded' }
  const before = Buffer.concat([...history.script(ran.session)])
  const { redaction } = new RecordRedactions().of({ ...request, connection })
  const names = [`ran on ${ran.connection}`, `commit ${commit}`] as const
  const found: Difference = await scriptDifference(names, [before, redaction.replaceIn(request.script)])
  return { diff: found.diff ?? null, note: found.note ?? null }
}
