import { CommanderError } from 'commander'
import { printableText } from '../../basics/text/printable.ts'
import { exitCodes, Failure, inGatewayProduct } from '../exit-codes.ts'
import { withoutAliases } from './aliases.ts'
import { GATEWAY_COMMANDS, type Product } from './product.ts'
import { program } from './program.ts'

/** Prints one line if the user can solve the problem, or a stack for a bug. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return codeOf(error)
  if (error instanceof Failure) {
    // Names from a gateway may contain control characters.
    process.stderr.write(`runbook-agent: ${printableText(error.message)}\n`)
    return error.exitCode
  }
  process.stderr.write(
    `runbook-agent: this is a bug, please report it:\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  )
  return exitCodes.bug
}

/** Commander exits with 1 for all wrong arguments. */
function codeOf({ exitCode }: CommanderError): number {
  return exitCode === 1 ? exitCodes.usage : exitCode
}

/** Returns the code for wrong usage, because old scripts may start the agent without a command. */
function showHelp(root: Awaited<ReturnType<typeof program>>): number {
  root.outputHelp()
  return exitCodes.usage
}

export async function main(product: Product): Promise<void> {
  try {
    const words = withoutAliases(process.argv.slice(2))
    if (product.commands === undefined) refuseGatewayCommands(words)
    const root = await program(words[0], product)
    if (words.length === 0) process.exitCode = showHelp(root)
    else await root.parseAsync(words, { from: 'user' })
    process.exitCode ??= exitCodes.done
  } catch (error) {
    // The program has failed, so it does not wait for running work.
    process.exit(report(error))
  }
}

/** @throws Failure */
function refuseGatewayCommands([first, second]: readonly string[]): void {
  const word = first === 'help' ? second : first
  const missing = GATEWAY_COMMANDS.find((name) => name === word)
  if (missing !== undefined) throw inGatewayProduct(`the command ${missing}`)
}
