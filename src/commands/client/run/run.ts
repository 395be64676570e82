import { randomUUID } from 'node:crypto'
import { oneLine } from '../../../basics/text/one-line.ts'
import type { Account } from '../../../client/account/account.ts'
import { ReviewRejected } from '../../../client/running/execution.ts'
import type { RestExecution } from '../../../client/running/execution-request.ts'
import { exitCodes, Failure } from '../../failure.ts'
import { clientFailure } from '../failures.ts'
import { readPairs, readVariables } from '../pairs.ts'
import { readAccount } from '../account-from-env.ts'
import { executeWatched } from './watched-execution.ts'
import { dryRun } from './dry-run.ts'
import { showEnding } from './ending.ts'
import { readFiles } from './files.ts'
import { completeParameters, givenParameters, type ParameterFlags } from './given-parameters.ts'
import { findTarget, withSuggestion, type Target } from './target.ts'
import { ApiError } from '../../../client/rest/api-error.ts'
import type { Runbook } from '../../../client/rest/runbooks.ts'
import { PATTERN_MISMATCH } from '../../../template/functions.ts'
import { matchesPattern } from './value-check.ts'

export interface RunFlags extends ParameterFlags {
  readonly env?: readonly string[]
  readonly file?: readonly string[]
  readonly metadata?: readonly string[]
  readonly ref?: string
  readonly repository?: string
  readonly dryRun?: boolean
  readonly json?: boolean
  readonly quiet?: boolean
}

export interface RunArguments {
  readonly connection: string
  readonly file: string
  readonly clientArgs: readonly string[]
}

/** `run`: a runbook, from its parameters to its exit code. @returns this program's exit code @throws Failure */
export async function runRunbook(what: RunArguments, flags: RunFlags): Promise<number> {
  const { connection, file } = what
  const account = readAccount()
  const given = await givenParameters(flags)
  const envVars = {
    ...Object.fromEntries(readVariables(flags.env ?? [])),
    ...Object.fromEntries(readFiles(flags.file ?? [])),
  }
  const metadata = Object.fromEntries(readPairs(flags.metadata ?? [], '--metadata'))
  try {
    const target = await findTarget(account, { connection, file, repository: flags.repository })
    const parameters = Object.fromEntries(await allParameters(target, given, flags))
    const { repository } = target
    const correlationId = `runbook-agent-${randomUUID()}`
    const request = { ...what, repository, refHash: flags.ref, parameters, envVars, metadata, correlationId }
    return await runTarget(account, request, target, flags)
  } catch (error) {
    if (error instanceof ReviewRejected) throw new Failure(oneLine(error.message), exitCodes.refused)
    throw clientFailure(error, oneLine(`cannot run ${file} on ${connection}`))
  }
}

async function runTarget(
  account: Account,
  request: RestExecution,
  target: Target,
  flags: RunFlags,
): Promise<number> {
  const { json = false, quiet = false } = flags
  try {
    if (flags.dryRun === true)
      return showDryRun(await dryRun(account, request, { runbook: target.runbook, json }))
    const ended = await executeWatched(account, request, process.stderr.isTTY && !quiet)
    if ('detached' in ended) return ended.detached
    const { connection } = request
    const subject = {
      verb: 'run',
      connection,
      address: account.rest.url,
      sessionId: ended.sessionId,
    } as const
    return await showEnding(ended, subject, { json, quiet })
  } catch (error) {
    throw target.runbook === undefined
      ? withSuggestion(error, target, request.file)
      : withParameterName(error, target.runbook, request.parameters)
  }
}

function showDryRun({ text, notice }: Awaited<ReturnType<typeof dryRun>>): number {
  process.stdout.write(text)
  if (notice !== undefined) process.stderr.write(`runbook-agent: ${notice}\n`)
  return exitCodes.done
}

/** Parameters of another commit (`--ref`) or a file in no list are not known here: the gateway decides. */
async function allParameters(
  { runbook }: Target,
  given: ReadonlyMap<string, string>,
  flags: RunFlags,
): Promise<ReadonlyMap<string, string>> {
  if (runbook === undefined || flags.ref !== undefined) return given
  return completeParameters(runbook, given, flags)
}

/**
 * Adds the parameter's name to the gateway's error about a value that does not match, which has only a place in the
 * template and the pattern. The gateway decides and not we: a template may change a value before the check.
 */
export function withParameterName(
  error: unknown,
  { parameters }: Runbook,
  given: Readonly<Record<string, string>>,
): unknown {
  if (!(error instanceof ApiError) || error.kind !== 'invalid') return error
  const { message } = error
  const at = message.indexOf(PATTERN_MISMATCH)
  const pattern = at < 0 ? undefined : message.slice(at + PATTERN_MISMATCH.length)
  const wrong = parameters.filter(
    (parameter) => parameter.pattern === pattern && !matchesPattern(parameter, given[parameter.name] ?? ''),
  )
  if (pattern === undefined || wrong.length === 0) return error
  const names = wrong.map(({ name }) => name).join(', ')
  return new ApiError('invalid', `parameter ${names}: it has to match ${pattern}`, error)
}
