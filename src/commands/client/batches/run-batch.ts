import { randomUUID } from 'node:crypto'
import { oneLine, printableJson } from '../../../basics/text/printable.ts'
import type { Account } from '../../../client/account/account.ts'
import { ApiError } from '../../../client/rest/api-error.ts'
import { call } from '../../../client/rest/call.ts'
import { listConnections } from '../../../client/rest/connections.ts'
import type { BatchBody } from '../../../contract/batch-requests.ts'
import { batchContract } from '../../../contract/batches.ts'
import { exitCodes, Failure } from '../../exit-codes.ts'
import { readAccount } from '../asking/account.ts'
import { awaitedReviewers, waitingText, waysBackToBatch } from '../report/awaited.ts'
import { clientFailure } from '../report/failures.ts'
import { readPairs, readVariables, readFiles } from '../input.ts'
import { askChoice, canAsk } from '../terminal/prompts.ts'
import { confirmed } from '../run/confirmation.ts'
import { choicesOn } from '../run/offered-choices.ts'
import { completeParameters, givenParameters, withFiles } from '../run/parameters.ts'
import { withReason } from '../run/reason.ts'
import type { RunFlags } from '../run/run.ts'
import { Interrupts } from '../terminal/leaving.ts'
import { findTarget } from '../run/target.ts'
import type { BatchRead } from './texts.ts'
import { watchBatch } from './batches.ts'

export interface RunBatchFlags extends RunFlags {
  /** Names of connections, separated by commas. */
  readonly on?: readonly string[]
  readonly tag?: readonly string[]
  readonly waves?: string
  readonly parallel?: string
  readonly stopAfter?: string
  readonly yes?: boolean
}

/**
 * @returns this program's exit code
 * @throws Failure
 */
export async function runBatch(
  file: string,
  clientArgs: readonly string[],
  flags: RunBatchFlags,
): Promise<number> {
  if (flags.dryRun === true)
    throw new Failure(
      '--dry-run needs a single connection: use run CONNECTION FILE --dry-run',
      exitCodes.usage,
    )
  const account = readAccount(flags.profile)
  const tags = readPairs(flags.tag ?? [], '--tag')
  const given = await givenParameters(flags)
  try {
    const names = await connectionNames(account, flags.on ?? [], tags)
    const body = await makeBody(account, { file, clientArgs, names, tags, given }, flags)
    await confirm(file, names, flags)
    await confirmed(account, { file, repository: body.repository, connections: names }, flags.confirm)
    using interrupts = new Interrupts()
    const batch = await withReason(body, (one) => created(account, file, one))
    if (batch.warning !== '') process.stderr.write(`runbook-agent: ${oneLine(batch.warning)}\n`)
    if (flags.wait !== false) return await watchBatch(account, batch, flags, interrupts)
    await sayCreated(account, batch, flags)
    return exitCodes.done
  } catch (error) {
    throw clientFailure(error, oneLine(`cannot run ${file}`), account)
  }
}

/** Prints the id, or the batch as JSON. Says who has to approve, and how to continue. */
export async function sayCreated(
  account: Account,
  batch: BatchRead,
  { json, quiet, whenApproved }: Pick<RunBatchFlags, 'json' | 'quiet' | 'whenApproved'>,
): Promise<void> {
  const id = oneLine(batch.id)
  process.stdout.write(`${json === true ? printableJson(batch.raw, 2) : id}\n`)
  if (json === true || quiet === true) return
  const { status, review } = batch
  const said =
    status === 'waiting' && review !== undefined
      ? `batch ${id} is ${waitingText(await awaitedReviewers(account, review.session_id))}\n${waysBackToBatch(id, review.session_id, whenApproved)}`
      : `batch ${id} runs. To follow it: runbook-agent batches exec ${id}`
  process.stderr.write(`runbook-agent: ${said}\n`)
}

/**
 * Returns the named connections. If no name was given, returns the connections that have the tags now, and
 * the user confirms this list.
 * @throws Failure, ApiError
 */
async function connectionNames(
  account: Account,
  on: readonly string[],
  tags: ReadonlyMap<string, string>,
): Promise<readonly string[]> {
  const named = on.flatMap((text) => text.split(',').map((name) => name.trim())).filter((name) => name !== '')
  if (named.length > 0) return [...new Set(named)]
  const all = await listConnections(account)
  const found = all.filter((one) => [...tags].every(([key, value]) => one.connection_tags[key] === value))
  if (found.length > 0 && tags.size > 0) return found.map(({ name }) => name)
  throw new Failure(
    'no connection has these tags. To see the tags, run: runbook-agent connections',
    exitCodes.usage,
  )
}

type SentBatch = Pick<BatchBody, 'file_name'> & Partial<BatchBody>

interface Wanted {
  readonly file: string
  readonly clientArgs: readonly string[]
  readonly names: readonly string[]
  readonly tags: ReadonlyMap<string, string>
  readonly given: ReadonlyMap<string, string>
}

async function makeBody(account: Account, wanted: Wanted, flags: RunBatchFlags): Promise<SentBatch> {
  const { file, clientArgs, names, tags, given } = wanted
  const { runbook, repository } = await findTarget(account, {
    connection: names[0] ?? '',
    file,
    repository: flags.repository,
  })
  const isOld = flags.ref !== undefined
  // The list of the first connection is shown, and each connection checks the value.
  const offer = choicesOn(account, names[0] ?? '', file)
  const known =
    runbook &&
    (isOld ? withFiles(runbook, given, flags.param) : await completeParameters(runbook, given, flags, offer))
  return {
    file_name: file,
    client_args: clientArgs,
    connections: names,
    tags: Object.fromEntries(tags),
    parameters: Object.fromEntries(known ?? given),
    correlation_id: `runbook-agent-${randomUUID()}`,
    env_vars: Object.fromEntries([...readVariables(flags.env ?? []), ...readFiles(flags.file ?? [])]),
    metadata: Object.fromEntries(readPairs(flags.metadata ?? [], '--metadata')),
    jira_fields: Object.fromEntries(readPairs(flags.jira ?? [], '--jira')),
    ...(repository !== undefined && { repository }),
    ...(flags.ref !== undefined && { ref_hash: flags.ref }),
    ...(flags.whenApproved === true && { when_approved: true }),
    ...(flags.reason !== undefined && { reason: flags.reason }),
    ...(flags.waves !== undefined && { waves: flags.waves }),
    ...(flags.stopAfter !== undefined && { stop_after: flags.stopAfter }),
    ...(flags.parallel !== undefined && { parallel: parallelOf(flags.parallel) }),
  }
}

function parallelOf(text: string): number {
  if (/^[1-9]\d{0,2}$/.test(text)) return Number(text)
  throw new Failure('the value of --parallel is a number from 1 to 999', exitCodes.usage)
}

const NAMED = 10

/** @throws Failure if the user declines */
export async function confirm(
  file: string,
  names: readonly string[],
  { yes, waves }: Pick<RunBatchFlags, 'yes' | 'waves'>,
): Promise<void> {
  if (yes === true || !canAsk()) return
  const more = names.length > NAMED ? `, and ${names.length - NAMED} more` : ''
  const list = `${names.slice(0, NAMED).join(', ')}${more}`
  const message = oneLine(
    `run ${file} on ${names.length} connections (${list}) in waves ${waves ?? '1,rest'}?`,
  )
  const choices = [
    { name: 'no', value: 'no' },
    { name: 'yes', value: 'yes' },
  ]
  if ((await askChoice(message, choices, 'no')) !== 'yes')
    throw new Failure('cancelled: nothing was sent', exitCodes.interrupted)
}

/** Maximum wait for the answer. The gateway may have to fetch a repository and to create an issue. */
export const CREATE_MS = 120_000

/** @throws Failure for a gateway without batches; ApiError */
async function created(account: Account, file: string, body: SentBatch): Promise<BatchRead> {
  try {
    return await call(account, batchContract.create, {}, { body, answerMs: CREATE_MS })
  } catch (error) {
    if (!(error instanceof ApiError) || !isMissingEndpoint(error)) throw error
    throw new Failure(
      oneLine(
        `the gateway ${account.rest.url} does not support batches (POST /api/batches), so nothing has run. Run the runbook on each connection: runbook-agent run CONNECTION ${file}`,
      ),
      exitCodes.unreachable,
    )
  }
}

/** Whether the gateway lacks the endpoint. hoop's gateway then answers with plain text. */
function isMissingEndpoint({ code, status }: ApiError): boolean {
  return code === undefined ? status === 404 || status === 405 : code === 'endpoint-not-found'
}
