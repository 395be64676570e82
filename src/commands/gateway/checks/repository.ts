import { RepositoryError } from '../../../gateway/runbooks/errors.ts'
import { reachRemote } from '../../../gateway/runbooks/git/reach.ts'
import type { RepositorySettings } from '../../../gateway/settings/settings.ts'
import { ok, warning, type Finding } from '../../doctor/finding.ts'

/** A gateway starts without it, and serves the copy that it has. */
export async function checkRepository(repository: RepositorySettings, signal: AbortSignal): Promise<Finding> {
  try {
    await reachRemote(repository, signal)
    return ok(
      repository.branch === undefined ? 'its HEAD is there' : `its branch ${repository.branch} is there`,
    )
  } catch (error) {
    if (!(error instanceof RepositoryError)) throw error
    return warning(error.message, 'Until it can be read, runbooks come from the last copy, or there are none')
  }
}
