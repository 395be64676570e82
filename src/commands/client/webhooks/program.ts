import type { Command } from 'commander'
import { refuseUnknownCommands } from '../../program/unknown-command.ts'
import type { AskingFlags } from '../account/asking.ts'
import { examples, listOf, withProfile } from '../account/flags.ts'

/** Whom a gateway tells of what. */
export function addWebhookCommands(root: Command): void {
  const webhooks = refuseUnknownCommands(
    root.command('webhooks').description('whom a gateway tells of what; gateway.yaml has them'),
  )
  const load = () => import('./webhooks.ts')
  listOf(webhooks, 'all, for admins and auditors', 'runbook-agent webhooks').action(
    async (flags: AskingFlags) => process.exit(await (await load()).webhooksCommand(flags)),
  )
  withProfile(webhooks.command('test').description('send a test message, for admins'))
    .argument('<webhook>', 'its name')
    .option('--json', 'print JSON')
    .addHelpText('after', examples('runbook-agent webhooks test chat'))
    .action(async (name: string, flags: AskingFlags) =>
      process.exit(await (await load()).testWebhookCommand(name, flags)),
    )
}
