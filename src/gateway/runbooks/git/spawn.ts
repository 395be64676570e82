import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import type { GitEnvironment } from './environment.ts'
import { RunbookError } from '../../refusals/runbook-errors.ts'

/** Both ends of three pipes, two for libuv's own report of a failed start, two to spare. */
const DESCRIPTORS_OF_A_START = 10

/** Remedies when git could not be started, by error code. */
const REMEDIES: Readonly<Partial<Record<string, string>>> = {
  ENOENT: 'git was not found in PATH: install git (2.32 or newer)',
  EMFILE: 'git could not be started, too many files are open (EMFILE): raise the limit (ulimit -n)',
  ENFILE: 'git could not be started, too many files are open on this machine (ENFILE)',
}

/**
 * Starts git in a process group of its own. Throws a RunbookError for some failures. Others come as an
 * 'error' event, so the caller must listen for it before anything else. Without free descriptors the child
 * has no streams at all, although its type says so.
 */
export function spawnGit(
  args: readonly string[],
  env: GitEnvironment,
  stdin: 'ignore' | 'pipe',
): ChildProcess {
  try {
    checkDescriptors()
    // cwd `/`: git refuses to start in a deleted folder, and the gateway's own folder may be deleted.
    return spawn('git', args, { env, cwd: '/', detached: true, stdio: [stdin, 'pipe', 'pipe'] })
  } catch (error) {
    throw gitUnavailable(error)
  }
}

/** Returns the reason why git could not be started, with the remedy. */
export function gitUnavailable(cause: unknown): RunbookError {
  const { code, message } = cause as NodeJS.ErrnoException
  return new RunbookError('repository', REMEDIES[code ?? ''] ?? `git could not be started: ${message}`, {
    cause,
  })
}

/**
 * Throws when there are too few descriptors. A start that runs out of them half-way never returns those that
 * it has taken (Node 20 leaves the pipes of an EMFILE open), so each such request would make it worse.
 */
function checkDescriptors(): void {
  const taken: number[] = []
  try {
    while (taken.length < DESCRIPTORS_OF_A_START) taken.push(openSync('/dev/null', 'r'))
  } finally {
    for (const fd of taken) closeSync(fd)
  }
}
