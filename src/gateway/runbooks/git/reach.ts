import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RunbookError } from '../../refusals/runbook-errors.ts'
import { fetchEnvironment } from './environment.ts'
import { fetchFailed, writeLocalConfig } from './fetch.ts'
import { runGit } from './git.ts'
import { parseRemote } from '../../settings/repositories.ts'

interface Asked {
  readonly name: string
  readonly url: string
  readonly branch?: string
}

const TIMEOUT_MS = 8000
/** Exit code of `git ls-remote --exit-code` if the repository was reached and has no such branch. */
const NOTHING = 2

/** Checks that a remote answers and has the branch. Fetches nothing. @throws RunbookError */
export async function reachRemote({ name, url, branch }: Asked, signal: AbortSignal): Promise<void> {
  const remote = parseRemote(url)
  const folder = await mkdtemp(join(tmpdir(), 'runbook-reach-'))
  try {
    const globalConfig = await writeLocalConfig(folder, remote)
    const { code, stderr } = await runGit({
      args: [
        ...['ls-remote', '--quiet', '--exit-code', '--end-of-options', remote.url],
        branch === undefined ? 'HEAD' : `refs/heads/${branch}`,
      ],
      env: fetchEnvironment(process.env, remote, globalConfig),
      timeoutMs: TIMEOUT_MS,
      timeoutError: () =>
        new RunbookError(
          'repository',
          `runbook repository ${name} has not answered in ${TIMEOUT_MS / 1000} s`,
        ),
      signal,
    })
    if (code === NOTHING)
      throw new RunbookError(
        'repository',
        `runbook repository ${name} has no ${branch === undefined ? 'commit' : `branch ${branch}`}`,
      )
    if (code !== 0) throw fetchFailed({ name, remote }, stderr)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
