import type { Command } from 'commander'
import { exits } from '../../failure.ts'
import { refuseUnknownCommands } from '../../program/unknown-command.ts'
import type { AskingFlags } from '../account/asking.ts'
import { examples, LISTED, withProfile } from '../account/flags.ts'
import type { StopFlags } from './batches.ts'
import type { WatchFlags } from './watch.ts'

/** What `run --on` and `run --tag` have begun. */
export function addBatchCommands(root: Command): void {
  const batches = refuseUnknownCommands(
    root.command('batches').description('List, show and stop runs on several connections (run --on)'),
  )
  const load = () => import('./batches.ts')
  withProfile(batches.command('list', { isDefault: true }).description(`List the newest batches: ${LISTED}`))
    .option('--json', 'print JSON')
    .addHelpText('after', examples('runbook-agent batches'))
    .action(exits(async (flags: AskingFlags) => (await load()).batchesCommand(flags)))
  withProfile(batches.command('show').description('Show a batch and its runs'))
    .argument('<batch>', 'id of the batch; its beginning is enough')
    .option('--json', 'print JSON')
    .addHelpText('after', examples('runbook-agent batches show 5474d29f'))
    .action(exits(async (id: string, flags: AskingFlags) => (await load()).batchCommand(id, flags)))
  withProfile(batches.command('diff').description('Show how the outputs of a batch differ'))
    .argument('<batch>', 'id of the batch; its beginning is enough')
    .option('--json', 'print JSON')
    .addHelpText('after', examples('runbook-agent batches diff 5474d29f'))
    .action(exits(async (id: string, flags: AskingFlags) => (await load()).diffCommand(id, flags)))
  addChanging(batches)
}

function addChanging(batches: Command): void {
  const load = () => import('./batches.ts')
  withProfile(batches.command('stop').description('Stop a batch: running sessions go on, no new ones start'))
    .argument('<batch>', 'id of the batch; its beginning is enough')
    .option('--kill', 'end the running sessions as well')
    .option('--quiet', 'print only errors')
    .addHelpText('after', examples('runbook-agent batches stop 5474d29f'))
    .action(exits(async (id: string, flags: StopFlags) => (await load()).stopCommand(id, flags)))
  withProfile(batches.command('exec').description('Run an approved batch, or follow one to its end'))
    .argument('<batch>', 'id of the batch; its beginning is enough')
    .option('--quiet', 'print no progress')
    .option('--json', 'print the batch as JSON at its end')
    .addHelpText('after', examples('runbook-agent batches exec 5474d29f'))
    .action(exits(async (id: string, flags: WatchFlags) => (await load()).execBatchCommand(id, flags)))
}
