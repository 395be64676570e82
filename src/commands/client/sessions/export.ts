import type { Account } from '../../../client/account/account.ts'
import { ApiError } from '../../../client/rest/http/api-error.ts'
import { exportedLines, lastCursor, type ExportWish } from '../../../client/rest/session-export.ts'
import { exitCodes, explain, Failure } from '../../failure.ts'
import { asking, unlessLacking, type AskingFlags } from '../account/asking.ts'
import { newExportFile, resumedExportFile } from './export-file.ts'
import { askedSpan } from './list.ts'

export interface ExportFlags extends AskingFlags {
  readonly connection?: string
  readonly user?: string
  readonly since?: string
  readonly until?: string
  readonly after?: string
  readonly output?: string
  readonly resume?: boolean
}

type Write = (lines: Buffer) => Promise<unknown>

const EXPORT = { things: 'exports of sessions', endpoint: 'GET /api/sessions/export' }

/** `runbook-agent sessions export`: JSON lines, the oldest first, on stdout or into a file. */
export async function exportCommand(flags: ExportFlags): Promise<number> {
  const { connection, user, after, output, resume = false } = flags
  if (resume && output === undefined)
    throw new Failure('--resume goes on with the file of --output: name one', exitCodes.usage)
  if (after !== undefined && (resume || !/^\d{1,15}$/.test(after)))
    throw new Failure('--after is the cursor of a session, and not for --resume', exitCodes.usage)
  const wish = { connection, user, after, ...askedSpan(flags) }
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
    throw explain(error, `cannot write ${output}`, 'Go on with --resume when there is room')
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
    const way = `what has come is written: go on with --after ${cursor}, or into the same file with --resume`
    process.stderr.write(`runbook-agent: ${way}\n`)
    throw error
  }
}
