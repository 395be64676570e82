import { CommanderError } from 'commander'
import { printableText } from '../../basics/text/printable.ts'
import { exitCodes, Failure } from '../exit-codes.ts'
import { program } from './program.ts'

/** Prints an error: one line when a person can correct it, a stack only for a bug. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return codeOf(error)
  if (error instanceof Failure) {
    // The message may contain names from a gateway, which may hold control characters.
    process.stderr.write(`runbook-agent: ${printableText(error.message)}\n`)
    return error.exitCode
  }
  process.stderr.write(
    `runbook-agent: this is a bug, please report it:\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  )
  return exitCodes.bug
}

/** Returns the exit code for wrong arguments: commander always has 1. */
function codeOf({ exitCode }: CommanderError): number {
  return exitCode === 1 ? exitCodes.usage : exitCode
}

/**
 * Shows the help with a failing exit code: scripts may still start an agent this way, as was possible once.
 */
function showHelp(root: Awaited<ReturnType<typeof program>>): number {
  root.outputHelp()
  return exitCodes.usage
}

/** Runs the command that the arguments name, and sets the exit code. */
export async function main(): Promise<void> {
  try {
    const root = await program(process.argv[2])
    if (process.argv.length === 2) process.exitCode = showHelp(root)
    else await root.parseAsync()
    process.exitCode ??= exitCodes.done
  } catch (error) {
    // Exits immediately: all running work belongs to a failed program.
    process.exit(report(error))
  }
}
