import type { Logger } from '../../basics/logger.ts'
import { within } from '../../basics/abort.ts'
import { RunbookError } from '../refusals/runbook-errors.ts'
import type { RunbookRepository } from './repository.ts'

/** Time after which the start no longer waits for remotes. Their results are logged later. */
const PATIENCE_MS = 2_000

interface NamedForLog {
  readonly name: string
  readonly repository: RunbookRepository
}

/**
 * Fetches all repositories, and logs a line for each repository that cannot be read. Settles when all
 * repositories are checked, or after two seconds. If an old copy is served instead, the repository logs a
 * warning itself.
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
