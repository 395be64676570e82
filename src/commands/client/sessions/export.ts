import type { Account } from '../../../client/account/account.ts'
import { ApiError } from '../../../client/rest/api-error.ts'
import { exportedLines, type ExportWish, lastCursor } from '../../../client/rest/sessions.ts'
import { exitCodes, explain, Failure } from '../../exit-codes.ts'
import { asking, unlessLacking } from '../asking/asking.ts'
import { askedSpan } from '../input.ts'
import type { FilterFlags } from './sessions.ts'
import { type FileHandle, open } from 'node:fs/promises'
import { oneLine } from '../../../basics/text/printable.ts'

export interface ExportFlags extends FilterFlags {
  readonly after?: string
  readonly output?: string
  readonly resume?: boolean
}

type Write = (lines: Buffer) => Promise<unknown>

const EXPORT = { things: 'exports of sessions', endpoint: 'GET /api/sessions/export' }

/** Runs `runbook-agent sessions export`: writes JSON lines, the oldest first, to stdout or a file. */
export async function exportCommand(flags: ExportFlags): Promise<number> {
  const { connection, user, runbook, status, kind, parameter, after, output, resume = false } = flags
  if (resume && output === undefined)
    throw new Failure('--resume continues the file of --output: add --output', exitCodes.usage)
  if (after !== undefined && (resume || !/^\d{1,15}$/.test(after)))
    throw new Failure('--after is the cursor of a session, and excludes --resume', exitCodes.usage)
  const wish = { connection, user, runbook, status, kind, parameter, after, ...askedSpan(flags) }
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
    throw explain(error, `cannot write ${output}`, 'Continue with --resume when there is room')
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
    const way = `the lines so far are written: continue with --after ${cursor}, or in the same file with --resume`
    process.stderr.write(`runbook-agent: ${way}\n`)
    throw error
  }
}

/** Bound of a line of an export, in bytes. Most have some KiB; the largest hold 64 KiB of labels and metadata. */
const LONGEST_LINE = 1024 * 1024
const NEWLINE = 0x0a

/** An open file of an export, and the cursor after which the export continues. */
interface ExportFile {
  readonly handle: FileHandle
  readonly cursor: string | undefined
}

/** Creates a file. @throws Failure when the file exists, or the system's error */
async function newExportFile(file: string): Promise<ExportFile> {
  try {
    return { handle: await open(file, 'ax', 0o600), cursor: undefined }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    throw new Failure(
      `${oneLine(file)} exists already: name another file, or continue it with --resume`,
      exitCodes.usage,
    )
  }
}

/**
 * Opens the file of an interrupted export without an unfinished last line, or a new file.
 * @throws Failure when the file is no export, or the system's error
 */
async function resumedExportFile(file: string): Promise<ExportFile> {
  const handle = await open(file, 'a+', 0o600)
  try {
    const { size } = await handle.stat()
    if (size === 0) return { handle, cursor: undefined }
    const from = Math.max(0, size - 2 * LONGEST_LINE)
    const { buffer } = await handle.read(Buffer.alloc(size - from), 0, size - from, from)
    const end = buffer.lastIndexOf(NEWLINE) + 1
    const cursor = lastCursor(buffer.subarray(0, end))
    if (cursor === undefined)
      throw new Failure(`${oneLine(file)} is not an export of sessions: name another file`, exitCodes.usage)
    await handle.truncate(from + end)
    return { handle, cursor }
  } catch (error) {
    await handle.close()
    throw error
  }
}
