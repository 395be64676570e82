import { Argument, type Command } from 'commander'
import { withAgentFlags } from '../program/agent-flags.ts'
import { refuseUnknownCommands } from '../program/unknown-command.ts'
import type { ConfigCheckFlags } from './check.ts'
import type { ConfigPrintFlags } from './print.ts'
import type { SettingsKind } from './settings-kind.ts'

/** The commands for settings files. None of them connects to anything. */
export function addConfigCommands(root: Command): void {
  const config = refuseUnknownCommands(root.command('config').description('Print and check settings files'))
  withKind(withAgentFlags(config.command('print [path]')))
    .description('Print every setting, its value and its source')
    .action(async (path: string | undefined, flags: ConfigPrintFlags) =>
      (await import('./print.ts')).configPrintCommand(path, flags),
    )
  withKind(config.command('check <path>'))
    .description('Check a settings file of an agent or a gateway')
    .action(async (path: string, flags: ConfigCheckFlags) => {
      process.exitCode = await (await import('./check.ts')).configCheckCommand(path, flags)
    })
  config
    .command('schema')
    .addArgument(new Argument('<kind>', 'program whose settings are described').choices(['agent', 'gateway']))
    .description('Print the JSON schema of a settings file, for editors')
    .action(async (kind: SettingsKind) => (await import('./schema.ts')).configSchemaCommand(kind))
}

function withKind(command: Command): Command {
  return command
    .option('--agent', 'read the file as settings of an agent')
    .option('--gateway', 'read the file as settings of a gateway')
    .option('--json', 'print JSON')
}
