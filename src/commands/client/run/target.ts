import { didYouMean } from '../../../basics/text/nearest.ts'
import { oneLine } from '../../../basics/text/printable.ts'
import type { Account } from '../../../client/account/account.ts'
import { ApiError } from '../../../client/rest/api-error.ts'
import { connectionNamesIfKnown } from '../../../client/rest/connections.ts'
import { fetchRunbooks, type Runbook, type RunbookList } from '../../../client/rest/runbooks.ts'
import { hoopWords } from '../../../wire/gateway-words.ts'
import { exitCodes, Failure } from '../../exit-codes.ts'

export interface Target {
  /** Undefined for a file that is not listed as a runbook. Any file of the repository can be run. */
  readonly runbook: Runbook | undefined
  readonly repository: string | undefined
  /** These names are for a suggestion if the gateway does not find the file. */
  readonly names: readonly string[]
}

interface Wanted {
  readonly connection: string
  readonly file: string
  /** Needed if several repositories have the file. */
  readonly repository: string | undefined
}

/** @throws Failure, exit code 64, for an unknown connection; ApiError */
export async function findTarget(account: Account, wanted: Wanted): Promise<Target> {
  const list = await fetchRunbooksFor(account, wanted.connection)
  const found = list.runbooks.filter(
    ({ name, repository }) =>
      name === wanted.file && (wanted.repository === undefined || repository === wanted.repository),
  )
  const [runbook] = found
  if (found.length > 1) throw ambiguous(wanted, found)
  if (runbook?.error !== undefined)
    throw new Failure(`${wanted.file} cannot be run: ${oneLine(runbook.error)}`, exitCodes.usage)
  const names = list.runbooks.map(({ name }) => name)
  return {
    runbook,
    names,
    repository: runbook?.repository ?? (await chooseRepository(account, wanted, list)),
  }
}

async function fetchRunbooksFor(account: Account, connection: string): Promise<RunbookList> {
  try {
    return await fetchRunbooks(account, connection)
  } catch (error) {
    if (error instanceof ApiError && error.kind === 'not-found')
      throw await unknownConnection(account, connection, error)
    throw error
  }
}

/** Returns the gateway's error if the gateway's list has the connection, otherwise our own error. */
async function unknownConnection(account: Account, connection: string, error: ApiError): Promise<Error> {
  const names = await connectionNamesIfKnown(account)
  if (names.includes(connection)) return error
  const hint = didYouMean(connection, names) ?? 'or you have no access to it'
  return new Failure(oneLine(`the gateway has no connection ${connection}: ${hint}`), exitCodes.usage)
}

function ambiguous({ file }: Wanted, found: readonly Runbook[]): Failure {
  const repositories = found.map(({ repository }) => repository).join(', ')
  return new Failure(
    oneLine(`${file} is in more than one repository: choose with --repository (${repositories})`),
    exitCodes.usage,
  )
}

/**
 * Finds the repository of a file that is not listed as a runbook.
 * @throws Failure if no repository may have the file, or several
 */
async function chooseRepository(
  account: Account,
  wanted: Wanted,
  { repositories, errors }: RunbookList,
): Promise<string | undefined> {
  if (repositories === undefined) return undefined
  if (wanted.repository !== undefined) return wanted.repository
  const [repository, ...others] = repositories
  if (repository !== undefined && others.length === 0) return repository
  // The connection is checked here, because hoop answers with an empty list for an unknown connection.
  const names = await connectionNamesIfKnown(account)
  if (names.length > 0 && !names.includes(wanted.connection))
    throw await unknownConnection(
      account,
      wanted.connection,
      new ApiError('not-found', hoopWords.connectionNotFound),
    )
  if (repository === undefined && errors[0] !== undefined) throw new ApiError('failed', errors[0])
  const reason = errors[0] ?? 'the connection has no runbook with this name'
  throw new Failure(
    oneLine(
      repository === undefined
        ? `connection ${wanted.connection} has no runbooks: no repository is configured for it`
        : `${wanted.file} cannot be run on ${wanted.connection}: ${reason}; choose the repository of the file with --repository (${repositories.join(', ')})`,
    ),
    exitCodes.usage,
  )
}

/** Adds a similar name to the gateway's error about a missing file. */
export function withSuggestion(error: unknown, { runbook, names }: Target, file: string): unknown {
  if (!(error instanceof ApiError) || error.kind !== 'not-found' || runbook !== undefined) return error
  const meant = didYouMean(file, names)
  // The embedded gateway's error already has a suggestion, and needs no second one.
  const isSaid = error.message.includes('did you mean')
  const hint = meant === undefined || isSaid ? '' : `: ${meant}`
  return new ApiError('not-found', `${error.message}${hint}`, error)
}
