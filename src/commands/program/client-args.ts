import type { Command } from 'commander'
import { oneLine } from '../../basics/text/printable.ts'
import { exitCodes, Failure } from '../failure.ts'
import { isUtf8 } from 'node:buffer'
import { readFileSync } from 'node:fs'

/** Flags that decide whether and where a command runs. After `--` they would be ignored. */
const DECISIVE = ['--dry-run', '--local']

/**
 * Refuses words before `--` that were meant as something else, for example as a script, and arguments that are not
 * UTF-8. All words after `--` are for the connection's command.
 * @param hint where such a word belongs
 */
export function refuseStrayWords(called: Command, hint: string): void {
  refuseChangedArguments()
  const clientArgs: unknown = called.processedArgs.at(-1)
  refuseStray(clientArgs, hint)
  refuseMisplaced(called, Array.isArray(clientArgs) ? clientArgs : [])
}

/** If the flag is also given before `--`, it is not misplaced. */
function refuseMisplaced(command: Command, clientArgs: readonly unknown[]): void {
  const flags = command.options.filter(({ long }) => DECISIVE.includes(long ?? ''))
  const given: Readonly<Record<string, unknown>> = command.opts()
  const misplaced = flags.find(
    (flag) => clientArgs.includes(flag.long) && given[flag.attributeName()] !== true,
  )
  if (misplaced === undefined || given['verbatim'] === true) return
  throw new Failure(
    `${misplaced.long ?? ''} after -- would be an argument of the connection's command, and the command would run: put it before --, or add --verbatim before -- to pass it on`,
    exitCodes.usage,
  )
}

function refuseStray(clientArgs: unknown, hint: string): void {
  const count = Array.isArray(clientArgs) ? clientArgs.length : 0
  const dashes = process.argv.indexOf('--')
  const after = dashes === -1 ? 0 : process.argv.length - dashes - 1
  if (count <= after || !Array.isArray(clientArgs)) return
  const stray = oneLine(String(clientArgs[0]))
  throw new Failure(`${stray}: arguments for the connection's command follow --. ${hint}`, exitCodes.usage)
}

/** Node puts this character in place of bytes that are not UTF-8. A user may also have typed it. */
const REPLACED = '\uFFFD'

/**
 * Refuses arguments that are not UTF-8. They are decoded before this program sees them, and other bytes would arrive at
 * a database as something else. This works where the kernel shows the bytes, on Linux. The message shows no value,
 * which may be a secret.
 * @throws Failure, exit code 64
 */
function refuseChangedArguments(): void {
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
