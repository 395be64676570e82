import type { Logger } from '../../basics/logger.ts'
import { within } from '../../basics/abort.ts'
import { RunbookError } from '../refusals/runbook-errors.ts'
import type { RunbookRepository } from './repository.ts'
import { hasPaths, unmatchedPaths, type PathSettings } from './unmatched-paths.ts'

/** Time after which the start no longer waits for remotes. Their results are logged later. */
const PATIENCE_MS = 2_000

interface NamedForLog {
  readonly name: string
  readonly repository: RunbookRepository
}

/**
 * Fetches all repositories, and logs those that cannot be read. Settles after two seconds at the latest. If
 * an old copy is served, the repository itself logs a warning.
 */
export async function checkRepositories(repositories: readonly NamedForLog[], log: Logger): Promise<void> {
  const checks = Promise.all(repositories.map((one) => check(one, log)))
  await within(checks, PATIENCE_MS)
}

async function check({ name, repository }: NamedForLog, log: Logger): Promise<void> {
  try {
    await repository.prepare()
  } catch (error) {
    if (!(error instanceof RunbookError)) throw error
    if (repository.isClosed) return
    log.warn({ repository: name, reason: error.message }, 'runbook repository cannot be read')
  }
}

/**
 * Logs each path of `review`, `confirm` and `locks` that no file of its repositories matches. Nobody waits for
 * this check, so it rejects with nothing: a bug in it must not end the gateway.
 */
export async function tellUnmatchedPaths(
  repositories: readonly NamedForLog[],
  settings: PathSettings,
  log: Logger,
): Promise<void> {
  try {
    await tellPaths(repositories, settings, log)
  } catch (error) {
    log.error({ error: (error as Error).message }, 'cannot check the paths of review, confirm and locks')
  }
}

async function tellPaths(
  repositories: readonly NamedForLog[],
  settings: PathSettings,
  log: Logger,
): Promise<void> {
  if (!hasPaths(settings)) return
  const known = new Map<string, readonly string[]>()
  for (const { name, repository } of repositories) {
    const paths = await readPaths(repository)
    if (paths !== undefined) known.set(name, paths)
  }
  for (const reason of unmatchedPaths(settings, known))
    log.warn({ reason }, 'settings: a path applies to no runbook')
}

/** Returns undefined if the repository cannot be read: its check has logged the reason. */
async function readPaths(repository: RunbookRepository): Promise<readonly string[] | undefined> {
  try {
    return await repository.paths()
  } catch (error) {
    if (!(error instanceof RunbookError)) throw error
    return undefined
  }
}
