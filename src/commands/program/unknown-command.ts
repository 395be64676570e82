import type { Command } from 'commander'
import { didYouMean } from '../../basics/text/nearest.ts'

/**
 * With the names that were probably meant. Commander would pass an unknown word to the default command, which would say
 * that it takes no arguments; where there is none, it asks for a listener.
 */
export function refuseUnknownCommands(parent: Command): Command {
  const refuse = (): void => refuseUnknown(parent)
  return parent.hook('preSubcommand', refuse).on('command:*', refuse)
}

function refuseUnknown(parent: Command): void {
  const [word] = parent.args
  const names = parent.commands.map((command) => command.name())
  if (word === undefined || word.startsWith('-') || [...names, 'help'].includes(word)) return
  const meant = didYouMean(word, visibleNames(parent))
  parent.error(`error: unknown command '${word}'${meant === undefined ? '' : `\n(${meant})`}`, {
    code: 'commander.unknownCommand',
    exitCode: 1,
  })
}

function visibleNames(parent: Command): string[] {
  return parent
    .createHelp()
    .visibleCommands(parent)
    .map((command) => command.name())
}
