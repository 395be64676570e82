import type { Command } from 'commander'
import { examples, LISTED, withProfile } from '../client/account/flags.ts'
import { refuseUnknownCommands } from '../program/unknown-command.ts'
import type { MigrateHoopFlags } from './migrate-hoop.ts'

export function addMigrateCommands(root: Command): void {
  const migrate = refuseUnknownCommands(
    root.command('migrate').description('take an embedded gateway somewhere else'),
  )
  withProfile(migrate.command('hoop').description(`into a gateway of hoop's, dry run first: ${LISTED}`))
    .requiredOption('--config <file>', 'gateway.yaml of the embedded gateway')
    .option('--to <url>', 'address of the gateway, with the token of --token-file, HOOP_TOKEN or a question')
    .option('--token-file <file>', 'file that holds the token; - and no terminal: standard input')
    .option('--apply', 'write it; without this nothing is written')
    .option('--agent-keys <folder>', 'where the new keys of agents go, one private file each')
    .option('--access-control', "switch on hoop's access control, where connections are for some groups only")
    .option('--secrets', 'write secrets again that hoop does not show')
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
