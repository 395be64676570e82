import { isUtf8 } from 'node:buffer'
import { readFileSync } from 'node:fs'
import { exitCodes, Failure } from '../../failure.ts'

/** What Node puts where bytes are no UTF-8; somebody may as well have typed it. */
const REPLACED = '\uFFFD'

/**
 * Arguments are decoded before this program sees them: other bytes would arrive as something else at a database. Told
 * where the kernel shows the bytes, that is on Linux. No value is shown, it may be a secret.
 * @throws Failure, exit code 64
 */
export function refuseChangedArguments(): void {
  if (!process.argv.some((argument) => argument.includes(REPLACED)) || isUtf8(commandLine())) return
  throw new Failure(
    'an argument is not UTF-8, and other bytes would be sent in its place. exec and run take them from a file: -f',
    exitCodes.usage,
  )
}

function commandLine(): Buffer {
  try {
    return readFileSync('/proc/self/cmdline')
  } catch {
    return Buffer.alloc(0)
  }
}
