import { createConnection } from 'node:net'
import { readAll } from '../basics/files/read-all.ts'

/** Limit for a socket's path in bytes: 108 on Linux and 104 elsewhere, minus the zero byte at the end. */
export const LONGEST_PATH = process.platform === 'linux' ? 107 : 103

const tooLongPath = `the path is longer than ${LONGEST_PATH} bytes, so no agent can listen there: set a shorter runtime-dir`
const LONGEST_ANSWER = 256 * 1024

/** Why there was no answer, as the end of a text "PATH: ...". */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer'
  /** Nobody listens there: the agent has ended, or not begun. */
  readonly isGone: boolean

  constructor(message: string, isGone: boolean) {
    super(message)
    this.isGone = isGone
  }
}

/** Asks the agent behind a status socket. @returns its line of JSON. @throws NoAnswer */
export async function askStatus(path: string, withinMs: number): Promise<string> {
  if (isTooLong(path)) throw new NoAnswer(tooLongPath, false)
  try {
    const socket = createConnection({ path, signal: AbortSignal.timeout(withinMs) })
    const tooLong = () => new NoAnswer('the answer is too long for a status', false)
    const answer = await readAll(socket as AsyncIterable<Buffer>, LONGEST_ANSWER, tooLong)
    return answer.toString().trim()
  } catch (error) {
    throw noAnswer(error)
  }
}

function noAnswer(error: unknown): NoAnswer {
  if (error instanceof NoAnswer) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new NoAnswer('there is no such socket', true)
    case 'ECONNREFUSED':
      return new NoAnswer('the agent that made it is gone', true)
    case 'EACCES':
      return new NoAnswer('it belongs to another user', false)
    case 'ABORT_ERR':
      return new NoAnswer('the agent does not answer, it hangs or is stopped', false)
    default:
      return new NoAnswer(`no answer (${code})`, false)
  }
}

/** Node silently cuts a longer path. */
export function isTooLong(path: string): boolean {
  return Buffer.byteLength(path) > LONGEST_PATH
}
