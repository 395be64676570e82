import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import type { GitEnvironment } from './environment.ts'
import { RunbookError } from '../../refusals/runbook-errors.ts'

/**
 * Descriptors that a start needs: both ends of three pipes, two for libuv's report of a failed start, and two
 * in reserve.
 */
const DESCRIPTORS_OF_A_START = 10

/** Remedies by error code. */
const REMEDIES: Readonly<Partial<Record<string, string>>> = {
  ENOENT: 'git was not found in PATH; install git (2.32 or newer)',
  EMFILE: 'git could not be started, because too many files are open (EMFILE); raise the limit (ulimit -n)',
  ENFILE: 'git could not be started, because too many files are open on this machine (ENFILE)',
}

/**
 * Starts git in a process group of its own. Some failures are reported by an 'error' event, so the caller
 * must first add a listener for this event. Without free descriptors, the child has no streams, although its
 * type has them.
 * @throws RunbookError for other failures
 */
export function spawnGit(
  args: readonly string[],
  env: GitEnvironment,
  stdin: 'ignore' | 'pipe',
): ChildProcess {
  try {
    checkDescriptors()
    // git starts in `/`, because it does not start in a deleted folder, and the gateway's folder may be
    // deleted.
    return spawn('git', args, { env, cwd: '/', detached: true, stdio: [stdin, 'pipe', 'pipe'] })
  } catch (error) {
    throw gitUnavailable(error)
  }
}

export function gitUnavailable(cause: unknown): RunbookError {
  const { code, message } = cause as NodeJS.ErrnoException
  return new RunbookError('repository', REMEDIES[code ?? ''] ?? `git could not be started: ${message}`, {
    cause,
  })
}

/**
 * Throws if too few descriptors are free. If a start runs out of descriptors with 6 or 7 left, three or four
 * of them stay open (EMFILE; Node 20.19, 22.23 and 24.22).
 */
function checkDescriptors(): void {
  const taken: number[] = []
  try {
    while (taken.length < DESCRIPTORS_OF_A_START) taken.push(openSync('/dev/null', 'r'))
  } finally {
    for (const fd of taken) closeSync(fd)
  }
}
