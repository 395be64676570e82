import type { Command } from 'commander'
import { exits } from '../../failure.ts'
import { refuseUnknownCommands } from '../../program/unknown-command.ts'
import type { AskingFlags } from '../account/asking.ts'
import { collected, examples, LISTED, withProfile } from '../account/flags.ts'
import type { ConnectionsFlags } from './connections.ts'
import type { RunbookFlags } from './runbooks.ts'

// What a gateway has: its connections, its agents, its runbooks.

export function addConnectionCommands(root: Command): void {
  const connections = refuseUnknownCommands(
    root.command('connections').description('List and show connections'),
  )
  const load = () => import('./connections.ts')
  withProfile(connections.command('list', { isDefault: true }).description(`List connections: ${LISTED}`))
    .option('--tag <key=value>', 'only connections with this tag (repeatable)', collected)
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      examples('runbook-agent connections', 'runbook-agent connections list --tag env=prod'),
    )
    .action(exits(async (flags: ConnectionsFlags) => (await load()).connectionsCommand(flags)))
  withProfile(connections.command('show').description('Show a connection'))
    .argument('<connection>', 'name of the connection')
    .option('--json', 'print JSON')
    .addHelpText('after', examples('runbook-agent connections show pg'))
    .action(exits(async (name: string, flags: AskingFlags) => (await load()).connectionCommand(name, flags)))
}

export function addAgentCommands(root: Command): void {
  const agents = refuseUnknownCommands(root.command('agents').description('List the agents of a gateway'))
  withProfile(agents.command('list', { isDefault: true }).description(`List agents: ${LISTED}`))
    .option('--json', 'print JSON')
    .addHelpText('after', examples('runbook-agent agents'))
    .action(exits(async (flags: AskingFlags) => (await import('./agents.ts')).agentsCommand(flags)))
}

/** @param runbooks the command of that name, which has one for authors too */
export function addRunbookDirectory(runbooks: Command): void {
  const load = () => import('./runbooks.ts')
  withProfile(runbooks.command('list', { isDefault: true }).description(`List runbooks: ${LISTED}`))
    .option('--connection <name>', 'only runbooks of this connection')
    .option('--json', 'print JSON')
    .addHelpText('after', examples('runbook-agent runbooks list --connection pg'))
    .action(exits(async (flags: RunbookFlags) => (await load()).runbooksCommand(flags)))
  withProfile(runbooks.command('show').description('Show the parameters and connections of a runbook'))
    .argument('<runbook>', 'name of the runbook, as in the list')
    .option('--connection <name>', 'show it as it runs on this connection')
    .option('--repository <name>', 'repository of the runbook, if several have the file')
    .option('--json', 'print JSON')
    .addHelpText('after', examples('runbook-agent runbooks show ops/hello.runbook.sh'))
    .action(exits(async (file: string, flags: RunbookFlags) => (await load()).runbookCommand(file, flags)))
}
