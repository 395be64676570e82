import type { Command } from 'commander'
import { exits } from '../../failure.ts'
import { refuseUnknownCommands } from '../../program/unknown-command.ts'
import type { AskingFlags } from '../account/asking.ts'
import { examples, listOf, withProfile } from '../account/flags.ts'

/** Whom a gateway tells of what. */
export function addWebhookCommands(root: Command): void {
  const webhooks = refuseUnknownCommands(
    root.command('webhooks').description('List and test webhooks (they are set in gateway.yaml)'),
  )
  const load = () => import('./webhooks.ts')
  listOf(webhooks, 'List webhooks (admins and auditors)', 'runbook-agent webhooks').action(
    exits(async (flags: AskingFlags) => (await load()).webhooksCommand(flags)),
  )
  withProfile(webhooks.command('test').description('Send a test message to a webhook (admins)'))
    .argument('<webhook>', 'name of the webhook')
    .option('--json', 'print JSON')
    .addHelpText('after', examples('runbook-agent webhooks test chat'))
    .action(exits(async (name: string, flags: AskingFlags) => (await load()).testWebhookCommand(name, flags)))
}
