import type { Command } from 'commander'
import { refuseUnknownCommands } from '../program/unknown-command.ts'

interface HistoryFlags {
  readonly config: string
}

export function addHistoryCommands(root: Command): void {
  const history = refuseUnknownCommands(
    root.command('history').description("Mend a gateway's history while no gateway runs on it"),
  )
  history
    .command('reset-clock')
    .description('Forget a wrong time that the gateway has seen, by which tokens expire')
    .requiredOption('--config <file>', 'gateway.yaml, which names the state folder')
    .action(async (flags: HistoryFlags) => (await import('./reset-clock.ts')).resetClockCommand(flags))
  history
    .command('repair')
    .description('Copy the readable part of a damaged history into a new one, and list the losses')
    .requiredOption('--config <file>', 'gateway.yaml, which names the state folder')
    .action(async (flags: HistoryFlags) => (await import('./repair.ts')).repairCommand(flags))
}
