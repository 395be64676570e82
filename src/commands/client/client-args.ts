import type { Command } from 'commander'
import { oneLine } from '../../basics/one-line.ts'
import { exitCodes, Failure } from '../failure.ts'
import { refuseChangedArguments } from './argument-bytes.ts'

/**
 * Takes what stands behind `--` for the connection's command, every byte of it. A word before it was meant as
 * something else, as a script for example, and is refused.
 * @param hint where such a word belongs
 */
export function withClientArgs(command: Command, hint: string): Command {
  return command
    .argument('[client-args...]', "behind --: for the connection's command")
    .hook('preAction', ({ processedArgs }) => {
      refuseChangedArguments()
      refuseStray(processedArgs.at(-1), hint)
    })
}

function refuseStray(clientArgs: unknown, hint: string): void {
  const count = Array.isArray(clientArgs) ? clientArgs.length : 0
  const dashes = process.argv.indexOf('--')
  const behind = dashes === -1 ? 0 : process.argv.length - dashes - 1
  if (count <= behind || !Array.isArray(clientArgs)) return
  const stray = oneLine(String(clientArgs[0]))
  throw new Failure(
    `${stray}: arguments for the connection's command stand behind --. ${hint}`,
    exitCodes.usage,
  )
}
