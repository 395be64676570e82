import { CommanderError } from 'commander'
import { printableText } from '../../basics/text/printable.ts'
import { exitCodes, Failure } from '../failure.ts'
import { program } from './program.ts'

/** Prints an error: one line when a person can correct it, a stack only for a bug. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return codeOf(error)
  if (error instanceof Failure) {
    // The message may contain names from a gateway, and a runbook's author can write anything into them.
    process.stderr.write(`runbook-agent: ${printableText(error.message)}\n`)
    if (process.argv.length === 2) process.stderr.write('(--help shows the commands; this was start)\n')
    return error.exitCode
  }
  process.stderr.write(
    `runbook-agent: this is a bug, please report it:\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  )
  return exitCodes.bug
}

/** Commander itself says 1 for everything that is wrong. */
function codeOf({ exitCode }: CommanderError): number {
  return exitCode === 1 ? exitCodes.usage : exitCode
}

/** Does what the arguments say, and sets the exit code. */
export async function main(): Promise<void> {
  try {
    await (await program(process.argv[2])).parseAsync()
    process.exitCode ??= exitCodes.done
  } catch (error) {
    // Exits at once: whatever still runs belongs to a program that has failed.
    process.exit(report(error))
  }
}
