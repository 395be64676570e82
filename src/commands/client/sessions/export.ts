import type { Account } from '../../../client/account/account.ts'
import { ApiError } from '../../../client/rest/api-error.ts'
import { exportedLines, type ExportWish, lastCursor } from '../../../client/rest/sessions.ts'
import { exitCodes, explain, Failure } from '../../exit-codes.ts'
import { asking, unlessLacking } from '../asking/asking.ts'
import { wishOf, type FilterFlags } from './sessions.ts'
import { type FileHandle, open } from 'node:fs/promises'
import { oneLine } from '../../../basics/text/printable.ts'

export interface ExportFlags extends FilterFlags {
  readonly after?: string
  readonly output?: string
  readonly resume?: boolean
}

type Write = (lines: Buffer) => Promise<unknown>

const EXPORT = { things: 'exports of sessions', endpoint: 'GET /api/sessions/export' }

/** Exports sessions as JSON lines, the oldest session first. */
export async function exportCommand(flags: ExportFlags): Promise<number> {
  const { after, output, resume = false } = flags
  if (resume && output === undefined)
    throw new Failure('--resume needs the file of the interrupted export: add --output FILE', exitCodes.usage)
  if (after !== undefined && (resume || !/^\d{1,15}$/.test(after)))
    throw new Failure(
      'the value of --after is the number that an interrupted export printed; use either --after or --resume',
      exitCodes.usage,
    )
  const wish = { ...wishOf(flags), after }
  return asking(flags.profile, 'cannot export sessions', async (account, stdout) => {
    if (output === undefined) return exported(account, wish, (lines) => stdout.write(lines))
    return intoFile(account, wish, { output, resume })
  })
}

async function intoFile(
  account: Account,
  wish: ExportWish,
  { output, resume }: { readonly output: string; readonly resume: boolean },
): Promise<void> {
  try {
    const { handle, cursor } = await (resume ? resumedExportFile(output) : newExportFile(output))
    try {
      const write: Write = (lines) => handle.appendFile(lines)
      await exported(account, cursor === undefined ? wish : { ...wish, after: cursor }, write)
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error
    throw explain(error, `cannot write ${output}`, 'Continue with --resume after you have freed space')
  }
}

async function exported(account: Account, wish: ExportWish, write: Write): Promise<void> {
  let cursor: string | undefined
  const writing = async () => {
    for await (const lines of exportedLines(account, wish)) {
      await write(lines)
      cursor = lastCursor(lines)
    }
  }
  try {
    await unlessLacking(account, EXPORT, writing())
  } catch (error) {
    if (!(error instanceof ApiError) || cursor === undefined) throw error
    const way = `the export stopped after cursor ${cursor}: continue with --after ${cursor}, or with --resume in the same file`
    process.stderr.write(`runbook-agent: ${way}\n`)
    throw error
  }
}

/** Bytes. A session's labels and metadata have up to 64 KiB. */
const MAX_LINE_BYTES = 1024 * 1024
const NEWLINE = 0x0a

/** A file to which sessions are added: those after `cursor`, or all sessions if there is no cursor. */
interface ExportFile {
  readonly handle: FileHandle
  readonly cursor: string | undefined
}

/** @throws Failure if the file exists; otherwise the system's error */
async function newExportFile(file: string): Promise<ExportFile> {
  try {
    return { handle: await open(file, 'ax', 0o600), cursor: undefined }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    throw new Failure(
      `the file ${oneLine(file)} exists already: choose another name, or continue the export with --resume`,
      exitCodes.usage,
    )
  }
}

/**
 * Opens a file to continue an export. Removes an unfinished last line, and creates a missing file.
 * @throws Failure if the file is not an export; otherwise the system's error
 */
async function resumedExportFile(file: string): Promise<ExportFile> {
  const handle = await open(file, 'a+', 0o600)
  try {
    const { size } = await handle.stat()
    if (size === 0) return { handle, cursor: undefined }
    const from = Math.max(0, size - 2 * MAX_LINE_BYTES)
    const { buffer } = await handle.read(Buffer.alloc(size - from), 0, size - from, from)
    const end = buffer.lastIndexOf(NEWLINE) + 1
    const cursor = lastCursor(buffer.subarray(0, end))
    if (cursor === undefined)
      throw new Failure(
        `the file ${oneLine(file)} is not an export of sessions: choose another file`,
        exitCodes.usage,
      )
    await handle.truncate(from + end)
    return { handle, cursor }
  } catch (error) {
    await handle.close()
    throw error
  }
}
