import { RunbookError } from '../../refusals/runbook-errors.ts'
import type { ObjectReader } from './objects.ts'

/** The hosted gateway's limit (protocol.md 9.2). */
const MAX_FILE_BYTES = 1_000_000

/** @throws RunbookError if the blob is too big, or not UTF-8 */
export async function readText(objects: ObjectReader, oid: string, path: string): Promise<string> {
  const blob = await objects.read(oid, MAX_FILE_BYTES)
  if (blob.kind === 'too-large') {
    throw new RunbookError('content', `max template size [${MAX_FILE_BYTES / 1000} KB] reached for ${path}`)
  }
  if (blob.kind !== 'found')
    throw new RunbookError('damaged', `the content of runbook file ${path} is missing`)
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(blob.content)
  } catch {
    throw new RunbookError('content', `runbook file ${path} is not valid UTF-8 text`)
  }
}
