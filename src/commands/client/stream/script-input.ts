import { createReadStream } from 'node:fs'
import { isatty } from 'node:tty'
import { readAll } from '../../../basics/files/small-file.ts'
import { exitCodes, Failure } from '../../exit-codes.ts'

/** Limit in bytes: script, variables and arguments have to fit into a packet of 17 MiB. */
const MAX_SCRIPT_BYTES = 16 * 1024 * 1024

export interface ScriptFlags {
  /** The script itself; it may be empty. */
  readonly input?: string
  /** A file, a FIFO, or `-` for stdin. */
  readonly file?: string
}

/**
 * Reads the script: `--input`, `--file`, else stdin unless that is a terminal, else nothing if the command
 * has arguments. Without script and arguments nothing would run, and that would be a success.
 * @throws Failure, exit code 64, for both flags together, no script, an unreadable file, and more than 16 MiB
 */
export async function readScript(
  { input, file }: ScriptFlags,
  clientArgs: readonly string[],
): Promise<Buffer> {
  if (input !== undefined && file !== undefined)
    throw new Failure('--input and --file exclude each other', exitCodes.usage)
  if (input !== undefined) return bounded(Buffer.from(input), '--input')
  if (file !== undefined && file !== '-') return readStream(createReadStream(file), file)
  if (file === undefined && isatty(0)) return noScript(clientArgs)
  return readStream(process.stdin, 'stdin')
}

function noScript(clientArgs: readonly string[]): Buffer {
  if (clientArgs.length > 0) return Buffer.alloc(0)
  throw new Failure(
    'there is nothing to run: give a script with -i or -f, or on standard input. For a terminal use runbook-agent connect',
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
    `${name}: a script has at most ${MAX_SCRIPT_BYTES / 1024 / 1024} MiB. Copy large files to the connection in another way`,
    exitCodes.usage,
  )
}

function unreadable(name: string, { code, message }: NodeJS.ErrnoException): Failure {
  const what = code === 'ENOENT' ? 'does not exist' : `cannot be read: ${code ?? message}`
  return new Failure(`the script ${name} ${what}`, exitCodes.usage)
}
