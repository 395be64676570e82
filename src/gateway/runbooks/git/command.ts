import { mirrorEnvironment } from './environment.ts'
import { RunbookError } from '../../refusals/runbook-errors.ts'
import { runGit, type GitResult } from './git.ts'

/** These commands use no network and read little. */
const TIMEOUT_MS = 10_000

export interface CommandOptions {
  /** The environment from which git's variables are taken. */
  readonly outerEnv: NodeJS.ProcessEnv
  /** Aborts when the repository is closed. */
  readonly closing: AbortSignal
}

/** Runs git in the bare repository `gitDir`. Any exit code is a result. */
export function runInMirror(
  gitDir: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<GitResult> {
  return runGit({
    args: ['--git-dir', gitDir, ...args],
    env: mirrorEnvironment(options.outerEnv),
    timeoutMs: TIMEOUT_MS,
    timeoutError: () =>
      new RunbookError('repository', `git ${args[0] ?? ''} took longer than ${TIMEOUT_MS / 1000} s`),
    signal: options.closing,
  })
}
