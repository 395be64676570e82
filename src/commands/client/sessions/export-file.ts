import { open, type FileHandle } from 'node:fs/promises'
import { oneLine } from '../../../basics/text/one-line.ts'
import { lastCursor } from '../../../client/rest/session-export.ts'
import { exitCodes, Failure } from '../../failure.ts'

/** A line has some KiB, and labels and metadata of 64 KiB at most. */
const LONGEST_LINE = 1024 * 1024
const NEWLINE = 0x0a

/** A file that an export writes, and the cursor behind which it goes on. Close it. */
export interface ExportFile {
  readonly handle: FileHandle
  readonly cursor: string | undefined
}

/** @throws Failure when it is there already, or the system's error */
export async function newExportFile(file: string): Promise<ExportFile> {
  try {
    return { handle: await open(file, 'ax', 0o600), cursor: undefined }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    throw new Failure(
      `${oneLine(file)} is there already: name another file, or go on with it by --resume`,
      exitCodes.usage,
    )
  }
}

/**
 * What an export that broke off has written, without a line that was cut; a new one where there is none.
 * @throws Failure when it is no export, or the system's error
 */
export async function resumedExportFile(file: string): Promise<ExportFile> {
  const handle = await open(file, 'a+', 0o600)
  try {
    const { size } = await handle.stat()
    if (size === 0) return { handle, cursor: undefined }
    const from = Math.max(0, size - 2 * LONGEST_LINE)
    const { buffer } = await handle.read(Buffer.alloc(size - from), 0, size - from, from)
    const end = buffer.lastIndexOf(NEWLINE) + 1
    const cursor = lastCursor(buffer.subarray(0, end))
    if (cursor === undefined)
      throw new Failure(`${oneLine(file)} is no export of sessions: name another file`, exitCodes.usage)
    await handle.truncate(from + end)
    return { handle, cursor }
  } catch (error) {
    await handle.close()
    throw error
  }
}
