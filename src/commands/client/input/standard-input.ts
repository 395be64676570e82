import { readAll } from '../../../basics/files/read-all.ts'
import { decodeUtf8 } from '../../../basics/files/small-file.ts'
import { exitCodes, Failure } from '../../failure.ts'
import { refusing } from './given-file.ts'

/** @param limit in bytes @param what it is, for messages @throws Failure for more, or for what is not UTF-8 */
export async function readStandardInput(limit: number, what: string): Promise<string> {
  const named = `${what} on standard input`
  const tooLong = () => new Failure(`${named} is longer than ${limit} bytes`, exitCodes.usage)
  const bytes = await readAll(process.stdin as AsyncIterable<Buffer>, limit, tooLong)
  return refusing(named, () => decodeUtf8(bytes))
}
