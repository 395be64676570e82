import type { Logger } from '../../basics/logger.ts'
import { within } from '../../basics/abort.ts'
import { RunbookError } from '../refusals/runbook-errors.ts'
import type { RunbookRepository } from './repository.ts'

/** A remote that takes longer does not delay the start: its result is logged later. */
const PATIENCE_MS = 2_000

interface NamedForLog {
  readonly name: string
  readonly repository: RunbookRepository
}

/**
 * Fetches all repositories, and logs the ones that cannot be read: one line each. Settles when all are
 * checked, or after two seconds. Where an old copy is served instead, the repository logs that itself.
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
