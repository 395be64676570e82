import { readAll } from '../../basics/files/read-all.ts'
import { decodeUtf8, FileRefused } from '../../basics/files/small-file.ts'
import { exitCodes, Failure } from '../failure.ts'

/**
 * All of standard input, as text.
 * @param limit in bytes
 * @param what it is, for messages
 * @throws Failure when there is more, or it is not UTF-8
 */
export async function readStandardInput(limit: number, what: string): Promise<string> {
  const refused = (reason: string) => new Failure(`${what} on standard input ${reason}`, exitCodes.usage)
  const tooLong = () => refused(`is longer than ${limit} bytes`)
  const bytes = await readAll(process.stdin as AsyncIterable<Buffer>, limit, tooLong)
  try {
    return decodeUtf8(bytes)
  } catch (error) {
    throw error instanceof FileRefused ? refused(error.message) : error
  }
}
