import { CommanderError } from 'commander'
import { printableText } from '../../basics/text/printable.ts'
import { exitCodes, Failure } from '../exit-codes.ts'
import { program } from './program.ts'

/** Prints an error: one line if the user can solve the problem, a stack for a bug. */
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

/** Replaces the exit code 1, which commander has for all wrong arguments. */
function codeOf({ exitCode }: CommanderError): number {
  return exitCode === 1 ? exitCodes.usage : exitCode
}

/**
 * Shows the help and returns a failing exit code: old scripts may start the agent without a command.
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
    // Exits without waiting for running work: the program has failed.
    process.exit(report(error))
  }
}
