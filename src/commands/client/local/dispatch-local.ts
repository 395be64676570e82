import { exitCodes, Failure } from '../../failure.ts'
import type { ExecLocalFlags } from './exec-local.ts'
import type { RunLocalFlags } from './run-local.ts'
import type { RunArguments, RunFlags } from '../run/run.ts'

interface Place {
  /** Whether to run in this process, without a gateway. */
  readonly local?: boolean
  readonly config?: string
}

const NO_GATEWAY = '--local asks no gateway: it has no --profile'

/** `exec` on a gateway, or in this process. @returns the exit code of this program */
export async function dispatchExec(
  connection: string,
  words: readonly string[],
  { local = false, ...flags }: ExecLocalFlags & Place,
): Promise<number> {
  if (local) {
    refuse(flags, ['profile'], NO_GATEWAY)
    return (await import('./exec-local.ts')).execLocalCommand(connection, words, flags)
  }
  refuse(flags, ['config'], '--config goes with --local')
  return (await import('../stream/exec.ts')).execCommand(connection, words, flags)
}

/** `run` on a gateway, or in this process. @returns the exit code of this program */
export async function dispatchRun(
  what: RunArguments,
  { local = false, ...flags }: RunFlags & RunLocalFlags & Place,
): Promise<number> {
  if (!local) {
    refuse(flags, ['config'], '--config goes with --local')
    return (await import('../run/run.ts')).runRunbook(what, flags)
  }
  refuse(flags, ['profile'], NO_GATEWAY)
  refuse(
    flags,
    ['ref', 'repository'],
    '--local runs a file of this machine: it has no --ref and no --repository',
  )
  if (flags.wait === false)
    throw new Failure('--local waits for the end: it has no --no-wait', exitCodes.usage)
  return (await import('./run-local.ts')).runLocal(what, flags)
}

function refuse(flags: object, names: readonly string[], reason: string): void {
  if (names.some((name) => name in flags)) throw new Failure(reason, exitCodes.usage)
}
