import { existsSync, rmSync } from 'node:fs'
import { type FileHandle, link, open, rm } from 'node:fs/promises'
import { ForeignPathError } from '../basics/files/private-path.ts'
import { oneLine } from '../basics/text/printable.ts'
import type { Account } from '../client/account/account.ts'
import { askWell } from '../client/rest/json.ts'
import { backupContract } from '../contract/gateway.ts'
import {
  BackupError,
  unpack,
  type Manifest,
  REVIEWS_KEY,
  PartSums,
} from '../gateway/operating/backup-format.ts'
import { restore } from '../gateway/operating/restore.ts'
import { HistoryError } from '../gateway/store/errors.ts'
import { asking, type AskingFlags, printAnswer, unlessLacking } from './client/asking/asking.ts'
import { exitCodeOfSignal, exitCodes, explain, Failure } from './exit-codes.ts'

/** Writes to a file with another name until the backup is complete. */
export async function backupCommand(file: string, flags: AskingFlags): Promise<number> {
  if (existsSync(file))
    throw new Failure(`the file ${file} exists already: choose another name`, exitCodes.usage)
  return asking(flags.profile, 'cannot make a backup', async (account, stdout) => {
    const manifest = await received(account, file)
    const text = () => `${summary(manifest, file)}\n`
    await printAnswer(flags, { file, ...manifest }, text, stdout)
  })
}

async function received(account: Account, file: string): Promise<Manifest> {
  const partial = `${file}.${process.pid}.partial`
  const leaving = leavingNothing(partial)
  try {
    const handle = await open(partial, 'wx', 0o600)
    try {
      const endpoint = { things: 'backups', endpoint: '/api/backup' }
      const bytes = await unlessLacking(account, endpoint, downloadBackup(account))
      const manifest = await written(bytes, handle)
      await handle.sync()
      // If the file was created meanwhile, a hard link fails. A rename would replace that file.
      await link(partial, file)
      return manifest
    } finally {
      await handle.close()
    }
  } catch (error) {
    throw failureOf(error, file)
  } finally {
    await rm(partial, { force: true })
    leaving[Symbol.dispose]()
  }
}

/** Writes the backup and checks while it arrives whether it is complete. @throws BackupError */
async function written(bytes: AsyncIterable<Buffer>, file: FileHandle): Promise<Manifest> {
  const sums = new PartSums()
  const manifest = await unpack(teed(bytes, file), {
    begin: () => undefined,
    write: (part, piece) => sums.add(part, piece),
  })
  sums.check(manifest)
  return manifest
}

async function* teed(bytes: AsyncIterable<Buffer>, file: FileHandle): AsyncGenerator<Buffer> {
  for await (const piece of bytes) {
    await file.writeFile(piece)
    yield piece
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Removes the file when a signal ends the program. The program then exits with the signal's code. */
function leavingNothing(file: string): Disposable {
  const leave = (signal: NodeJS.Signals) => {
    rmSync(file, { force: true })
    process.exit(exitCodeOfSignal(signal))
  }
  for (const signal of SIGNALS) process.once(signal, leave)
  return {
    [Symbol.dispose]: () => {
      for (const signal of SIGNALS) process.off(signal, leave)
    },
  }
}

function failureOf(error: unknown, file: string): unknown {
  if (error instanceof BackupError || error instanceof HistoryError)
    return new Failure(`cannot use the backup from the gateway: ${error.message}`, exitCodes.unreachable)
  if (error instanceof Error && 'syscall' in error)
    return explain(
      error,
      `cannot write ${file}`,
      'Choose a file in a folder that you may write to and that has enough free space',
      exitCodes.inputOutput,
    )
  return error
}

function summary({ parts, made_at }: Manifest, file: string): string {
  const bytes = parts.reduce((sum, part) => sum + part.bytes, 0)
  const hasKey = parts.some(({ name }) => name === REVIEWS_KEY)
  const what = hasKey
    ? 'scripts, output and keys'
    : 'scripts and output, but not the key for requests that wait for approval'
  return oneLine(
    `${file}: the state of ${made_at}, ${bytes} bytes. The file contains ${what}: protect the file like the state folder`,
  )
}

/** Restores a backup. No gateway needs to run for this. */
export async function restoreCommand(file: string, { state }: { readonly state: string }): Promise<void> {
  try {
    const { made_at, program } = await restore(file, state)
    process.stdout.write(`restored ${state}: the state of ${made_at}, backed up by version ${program}\n`)
  } catch (error) {
    throw restoreFailure(error, file, state)
  }
}

function restoreFailure(error: unknown, file: string, state: string): unknown {
  if (error instanceof ForeignPathError)
    return new Failure(`the state folder is not safe: ${error.message}. Choose another folder`)
  if (error instanceof BackupError || error instanceof HistoryError)
    return new Failure(`cannot restore ${file}: ${error.message}`)
  if (error instanceof Error && 'code' in error && typeof error.code === 'string')
    return new Failure(
      `cannot restore ${file} into ${state}: ${error.code}. No file was left in the folder`,
      exitCodes.inputOutput,
    )
  return error
}

/** Maximum wait for the backup. The gateway needs about ten seconds to copy one GB of history. */
const ANSWER_MS = 60 * 60 * 1000

/** Read the answer to its end. @throws ApiError */
async function downloadBackup(account: Account): Promise<AsyncIterable<Buffer>> {
  const { method, path } = backupContract.make
  return (await askWell(account, { method, path, answerMs: ANSWER_MS })).body
}
