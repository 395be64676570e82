import type { Command } from 'commander'
import { refuseUnknownCommands } from '../../program/unknown-command.ts'
import type { AskingFlags } from '../account/asking.ts'
import { collected, examples, LISTED, withProfile } from '../account/flags.ts'
import type { ConnectionsFlags } from './connections.ts'
import type { RunbookFlags } from './runbooks.ts'

// What a gateway has: its connections, its agents, its runbooks.

export function addConnectionCommands(root: Command): void {
  const connections = refuseUnknownCommands(
    root.command('connections').description('the connections that you may use'),
  )
  const load = () => import('./connections.ts')
  withProfile(connections.command('list', { isDefault: true }).description(`all: ${LISTED}`))
    .option('--tag <key=value>', 'those with this tag, may be repeated', collected)
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      examples('runbook-agent connections', 'runbook-agent connections list --tag env=prod'),
    )
    .action(async (flags: ConnectionsFlags) => process.exit(await (await load()).connectionsCommand(flags)))
  withProfile(connections.command('show').description('one of them'))
    .argument('<connection>', 'its name')
    .option('--json', 'print JSON')
    .addHelpText('after', examples('runbook-agent connections show pg'))
    .action(async (name: string, flags: AskingFlags) =>
      process.exit(await (await load()).connectionCommand(name, flags)),
    )
}

export function addAgentCommands(root: Command): void {
  const agents = refuseUnknownCommands(root.command('agents').description('the agents of a gateway'))
  withProfile(agents.command('list', { isDefault: true }).description(`all: ${LISTED}`))
    .option('--json', 'print JSON')
    .addHelpText('after', examples('runbook-agent agents'))
    .action(async (flags: AskingFlags) =>
      process.exit(await (await import('./agents.ts')).agentsCommand(flags)),
    )
}

/** @param runbooks the command of that name, which has one for authors too */
export function addRunbookDirectory(runbooks: Command): void {
  const load = () => import('./runbooks.ts')
  withProfile(runbooks.command('list', { isDefault: true }).description(`those of a gateway: ${LISTED}`))
    .option('--connection <name>', 'those that run on this connection')
    .option('--json', 'print JSON')
    .addHelpText('after', examples('runbook-agent runbooks list --connection pg'))
    .action(async (flags: RunbookFlags) => process.exit(await (await load()).runbooksCommand(flags)))
  withProfile(runbooks.command('show').description('what one asks for, and where it runs'))
    .argument('<runbook>', 'its name, as the list has it')
    .option('--connection <name>', 'as it is for this connection')
    .option('--repository <name>', 'where the file is in more than one')
    .option('--json', 'print JSON')
    .addHelpText('after', examples('runbook-agent runbooks show ops/hello.runbook.sh'))
    .action(async (file: string, flags: RunbookFlags) =>
      process.exit(await (await load()).runbookCommand(file, flags)),
    )
}
