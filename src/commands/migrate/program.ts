import type { Command } from 'commander'
import { examples, LISTED, withProfile } from '../client/account/flags.ts'
import { refuseUnknownCommands } from '../program/unknown-command.ts'
import type { MigrateHoopFlags } from './migrate-hoop.ts'

export function addMigrateCommands(root: Command): void {
  const migrate = refuseUnknownCommands(
    root.command('migrate').description('Move an embedded gateway elsewhere'),
  )
  withProfile(
    migrate
      .command('hoop')
      .description(`Copy an embedded gateway to a hoop gateway (dry run by default): ${LISTED}`),
  )
    .requiredOption('--config <file>', 'gateway.yaml of the embedded gateway')
    .option(
      '--to <url>',
      'address of the hoop gateway; its token comes from --token-file, HOOP_TOKEN or a prompt',
    )
    .option('--token-file <file>', 'file that holds the token; - or no terminal: standard input')
    .option('--apply', 'write the changes (default: only print them)')
    .option('--agent-keys <folder>', "folder for the agents' new keys, one private file each")
    .option('--access-control', "switch on hoop's access control, if connections are limited to groups")
    .option('--secrets', 'write secrets again, which hoop does not show')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      examples(
        'runbook-agent migrate hoop --config gateway.yaml --to https://hoop.example',
        'runbook-agent migrate hoop --config gateway.yaml --profile hoop --apply --agent-keys keys',
      ),
    )
    .action(async (flags: MigrateHoopFlags) => {
      process.exitCode = await (await import('./migrate-hoop.ts')).migrateHoopCommand(flags)
    })
}
