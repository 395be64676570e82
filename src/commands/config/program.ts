import { Argument, type Command } from 'commander'
import { withAgentFlags } from '../program/agent-flags.ts'
import { refuseUnknownCommands } from '../program/unknown-command.ts'
import type { ConfigCheckFlags } from './check.ts'
import type { ConfigPrintFlags } from './print.ts'
import type { SettingsKind } from './settings-kind.ts'

/** The commands for settings files. None of them connects to anything. */
export function addConfigCommands(root: Command): void {
  const config = refuseUnknownCommands(root.command('config').description('the settings'))
  withKind(withAgentFlags(config.command('print [path]')))
    .description("every setting, its value, and where it came from: the agent's, or those of a file")
    .action(async (path: string | undefined, flags: ConfigPrintFlags) =>
      (await import('./print.ts')).configPrintCommand(path, flags),
    )
  withKind(config.command('check <path>'))
    .description('names everything that is wrong in a settings file, of the agent or of a gateway')
    .action(async (path: string, flags: ConfigCheckFlags) => {
      process.exitCode = await (await import('./check.ts')).configCheckCommand(path, flags)
    })
  config
    .command('schema')
    .addArgument(new Argument('<kind>', 'whose settings').choices(['agent', 'gateway']))
    .description('prints the JSON schema of a settings file, for editors')
    .action(async (kind: SettingsKind) => (await import('./schema.ts')).configSchemaCommand(kind))
}

function withKind(command: Command): Command {
  return command
    .option('--agent', "the file is an agent's, whatever its names are")
    .option('--gateway', "the file is a gateway's")
    .option('--json', 'print JSON')
}
