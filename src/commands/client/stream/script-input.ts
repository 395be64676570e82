import { createReadStream } from 'node:fs'
import { isatty } from 'node:tty'
import { readAll } from '../../../basics/files/small-file.ts'
import { exitCodes, Failure } from '../../exit-codes.ts'

/** Maximum size of a script, because script, variables and arguments have to fit into a packet of 17 MiB. */
const MAX_SCRIPT_BYTES = 16 * 1024 * 1024

export interface ScriptFlags {
  /** The script itself. It may be empty. */
  readonly input?: string
  /** The path of a file or a FIFO, or `-` for stdin. */
  readonly file?: string
}

/**
 * Reads the script. Without a flag, reads stdin, unless stdin is a terminal. Only a command with arguments
 * needs no script. A command without arguments and without a script would do nothing, which would look like a
 * success.
 * @throws Failure, exit code 64, for both flags, no script, an unreadable file, or more than 16 MiB
 */
export async function readScript(
  { input, file }: ScriptFlags,
  clientArgs: readonly string[],
): Promise<Buffer> {
  if (input !== undefined && file !== undefined)
    throw new Failure('use either --input or --file, not both', exitCodes.usage)
  if (input !== undefined) return bounded(Buffer.from(input), '--input')
  if (file !== undefined && file !== '-') return readStream(createReadStream(file), file)
  if (file === undefined && isatty(0)) return noScript(clientArgs)
  return readStream(process.stdin, 'stdin')
}

function noScript(clientArgs: readonly string[]): Buffer {
  if (clientArgs.length > 0) return Buffer.alloc(0)
  throw new Failure(
    'the script is missing: use -i, -f or standard input. For a terminal, use runbook-agent connect',
    exitCodes.usage,
  )
}

async function readStream(stream: AsyncIterable<unknown>, name: string): Promise<Buffer> {
  try {
    return await readAll(stream as AsyncIterable<Buffer>, MAX_SCRIPT_BYTES, () => tooLong(name))
  } catch (error) {
    throw error instanceof Failure ? error : unreadable(name, error as NodeJS.ErrnoException)
  }
}

function bounded(script: Buffer, name: string): Buffer {
  if (script.length > MAX_SCRIPT_BYTES) throw tooLong(name)
  return script
}

function tooLong(name: string): Failure {
  return new Failure(
    `${name}: the script is longer than ${MAX_SCRIPT_BYTES / 1024 / 1024} MiB. Copy large files to the connection in another way`,
    exitCodes.usage,
  )
}

function unreadable(name: string, { code, message }: NodeJS.ErrnoException): Failure {
  const what = code === 'ENOENT' ? 'does not exist' : `cannot be read: ${code ?? message}`
  return new Failure(`the script ${name} ${what}`, exitCodes.usage)
}
