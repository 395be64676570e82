import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { within } from '../../basics/abort.ts'
import type { Logger } from '../../basics/logger.ts'
import { isRepositoryFault } from '../../gateway/refusals/runbook-errors.ts'
import type { ListedRunbook } from '../../gateway/runbooks/catalog.ts'
import { RunbookRepository } from '../../gateway/runbooks/repository.ts'
import type { RepositorySettings } from '../../gateway/settings/settings.ts'
import { type Finding, ok, warning } from '../examination.ts'

const nothing = () => undefined
/** The findings of the check say what the repository would log. */
const NO_LOG: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing }

interface FoundFiles {
  /** Undefined if there are too many. */
  readonly paths: readonly string[] | undefined
  /** Empty if they are not wanted. */
  readonly runbooks: readonly ListedRunbook[]
}

async function readFiles(repository: RunbookRepository, withRunbooks: boolean): Promise<FoundFiles> {
  const paths = await repository.paths()
  return { paths, runbooks: withRunbooks ? (await repository.list([''])).runbooks : [] }
}

/**
 * Fetches the paths of the repository, and its runbooks if they are wanted, into a folder that is removed. A repository that fails or is slow is
 * only a warning, because the gateway still starts and serves the last copy.
 */
export async function checkRepository(
  { name, url, branch }: RepositorySettings,
  withinMs: number,
  withRunbooks = false,
): Promise<Finding<FoundFiles>> {
  const folder = await mkdtemp(path.join(tmpdir(), 'runbook-check-')).catch(
    (error: unknown) => error as Error,
  )
  if (folder instanceof Error) return unread(`no temporary folder could be made: ${folder.message}`)
  const options = { name, url, branch, stateDir: folder, log: NO_LOG, pathsOnly: !withRunbooks }
  const repository = RunbookRepository.open(options)
  try {
    const reading = readFiles(repository, withRunbooks)
    if (!(await within(reading, withinMs))) return unread(`no paths within ${withinMs / 1000} s`)
    const files = await reading
    const found = branch === undefined ? 'HEAD was found' : `branch ${branch} was found`
    return ok(files.paths === undefined ? `${found}; it has too many files to check paths` : found, files)
  } catch (error) {
    if (!isRepositoryFault(error)) throw error
    return unread(error.message)
  } finally {
    await repository.close()
    await rm(folder, { recursive: true, force: true })
  }
}

function unread(found: string): Finding<never> {
  return warning(
    found,
    'Until the repository can be read, the gateway serves runbooks of the last copy, or no runbooks',
  )
}
