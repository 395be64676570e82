import type { Command } from 'commander'
import { nearest } from '../basics/text/nearest.ts'

/** Commander would pass an unknown word to the default command, which would say that it takes no arguments. */
export function refuseUnknownCommands(parent: Command): Command {
  return parent.hook('preSubcommand', () => {
    const [word] = parent.args
    const names = parent.commands.map((command) => command.name())
    if (word === undefined || word.startsWith('-') || [...names, 'help'].includes(word)) return
    const meant = nearest(word, visibleNames(parent))
    parent.error(
      `error: unknown command '${word}'${meant === undefined ? '' : `\n(Did you mean ${meant}?)`}`,
      { code: 'commander.unknownCommand', exitCode: 1 },
    )
  })
}

function visibleNames(parent: Command): string[] {
  return parent
    .createHelp()
    .visibleCommands(parent)
    .map((command) => command.name())
}
