import { exitCodes, Failure } from '../failure.ts'
import type { ExecLocalFlags } from '../client/local/execution.ts'
import type { RunLocalFlags } from '../client/local/run-local.ts'
import type { RunBatchFlags } from '../client/batches/run-batch.ts'

interface Place {
  /** Whether to run in this process, without a gateway. */
  readonly local?: boolean
  readonly config?: string
}

const NO_GATEWAY = '--local asks no gateway: it has no --profile'
const NO_APPROVAL = '--local asks nobody for approval: it has no --when-approved'

/** `exec` on a gateway, or in this process. @returns the exit code of this program */
export async function dispatchExec(
  connection: string,
  words: readonly string[],
  { local = false, ...flags }: ExecLocalFlags & Place,
): Promise<number> {
  if (local) {
    refuse(flags, ['profile'], NO_GATEWAY)
    refuse(flags, ['whenApproved'], NO_APPROVAL)
    return (await import('../client/local/execution.ts')).execLocalCommand(connection, words, flags)
  }
  refuse(flags, ['config'], '--config needs --local')
  return (await import('../client/stream/exec.ts')).execCommand(connection, words, flags)
}

/** `run` on a gateway, or in this process. @returns the exit code of this program */
export async function dispatchRun(
  { file, ...words }: RunWords,
  { local = false, ...flags }: RunBatchFlags & RunLocalFlags & Place,
): Promise<number> {
  if (flags.on !== undefined || flags.tag !== undefined) {
    refuse({ ...flags, ...(local && { local }) }, ['local', 'config'], 'several connections need a gateway')
    return runSeveral({ file, ...words }, flags)
  }
  refuse(flags, ['waves', 'parallel', 'stopAfter', 'yes'], 'for several connections: --on a,b or --tag')
  if (file === undefined)
    throw new Failure('the runbook is missing: run CONNECTION FILE, or run FILE --on a,b', exitCodes.usage)
  const what = { file, ...words }
  if (!local) {
    refuse(flags, ['config'], '--config needs --local')
    return (await import('../client/run/run.ts')).runRunbook(what, flags)
  }
  refuse(flags, ['profile'], NO_GATEWAY)
  refuse(flags, ['whenApproved'], NO_APPROVAL)
  refuse(
    flags,
    ['ref', 'repository'],
    '--local runs a file of this machine: it has no --ref and no --repository',
  )
  if (flags.wait === false) throw new Failure('--local waits for the end: omit --no-wait', exitCodes.usage)
  return (await import('../client/local/run-local.ts')).runLocal(what, flags)
}

/** The words of the command line. With several connections the first word is the runbook. */
interface RunWords {
  readonly connection: string
  readonly file: string | undefined
  readonly clientArgs: readonly string[]
}

/** The words after -- arrive as the file and the arguments. */
async function runSeveral(
  { connection: runbook, file, clientArgs }: RunWords,
  flags: RunBatchFlags,
): Promise<number> {
  const words = file === undefined ? [] : [file, ...clientArgs]
  const dashes = process.argv.indexOf('--')
  const after = dashes === -1 ? 0 : process.argv.length - dashes - 1
  if (words.length > after)
    throw new Failure(
      'with --on and --tag there is one word, the runbook: run FILE --on a,b',
      exitCodes.usage,
    )
  return (await import('../client/batches/run-batch.ts')).runBatch(runbook, words, flags)
}

function refuse(flags: object, names: readonly string[], reason: string): void {
  if (names.some((name) => name in flags)) throw new Failure(reason, exitCodes.usage)
}
