import { ForeignPathError } from '../../basics/files/private-path.ts'
import { BackupError } from '../../gateway/operating/backup/backup-error.ts'
import { restore } from '../../gateway/operating/backup/restore.ts'
import { HistoryError } from '../../gateway/store/errors.ts'
import { exitCodes, Failure } from '../failure.ts'

/** `runbook-agent restore FILE --state DIR`: here, without a gateway. */
export async function restoreCommand(file: string, { state }: { readonly state: string }): Promise<void> {
  try {
    const { made_at, program } = await restore(file, state)
    process.stdout.write(`${state} is the state of ${made_at}, by version ${program}\n`)
  } catch (error) {
    throw failureOf(error, file, state)
  }
}

function failureOf(error: unknown, file: string, state: string): unknown {
  if (error instanceof ForeignPathError)
    return new Failure(`the state folder is not safe: ${error.message}. Name another one`)
  if (error instanceof BackupError || error instanceof HistoryError)
    return new Failure(`cannot restore ${file}: ${error.message}`)
  if (error instanceof Error && 'code' in error && typeof error.code === 'string')
    return new Failure(
      `cannot restore ${file} into ${state}: ${error.code}. Nothing of it was left there`,
      exitCodes.inputOutput,
    )
  return error
}
