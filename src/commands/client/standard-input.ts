import { exitCodes, Failure } from '../failure.ts'

/**
 * All of standard input as text, up to its end.
 * @param limit in bytes
 * @param what it is, for messages
 * @throws Failure when there is more, or what is there is not UTF-8
 */
export async function readStandardInput(limit: number, what: string): Promise<string> {
  const parts: Buffer[] = []
  let length = 0
  for await (const part of process.stdin) {
    parts.push(part as Buffer)
    length += (part as Buffer).length
    if (length > limit)
      throw new Failure(`${what} on standard input is longer than ${limit} bytes`, exitCodes.usage)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(parts))
  } catch {
    throw new Failure(`${what} on standard input is not UTF-8 text`, exitCodes.usage)
  }
}
