import type { Command } from 'commander'
import { refuseUnknownCommands } from '../../program/unknown-command.ts'
import type { AskingFlags } from '../account/asking.ts'
import { examples, LISTED, withProfile } from '../account/flags.ts'
import type { StopFlags } from './batches.ts'
import type { WatchFlags } from './watch.ts'

/** What `run --on` and `run --tag` have begun. */
export function addBatchCommands(root: Command): void {
  const batches = refuseUnknownCommands(
    root
      .command('batches')
      .description('runbooks on several connections (run --on): the beginning of an id is enough'),
  )
  const load = () => import('./batches.ts')
  withProfile(batches.command('list', { isDefault: true }).description(`the newest: ${LISTED}`))
    .option('--json', 'print JSON')
    .addHelpText('after', examples('runbook-agent batches'))
    .action(async (flags: AskingFlags) => process.exit(await (await load()).batchesCommand(flags)))
  withProfile(batches.command('show').description('one batch and its runs'))
    .argument('<batch>', 'its id')
    .option('--json', 'print JSON')
    .addHelpText('after', examples('runbook-agent batches show 5474d29f'))
    .action(async (id: string, flags: AskingFlags) =>
      process.exit(await (await load()).batchCommand(id, flags)),
    )
  withProfile(batches.command('diff').description('how runs differ from what most have written'))
    .argument('<batch>', 'its id')
    .option('--json', 'print JSON')
    .addHelpText('after', examples('runbook-agent batches diff 5474d29f'))
    .action(async (id: string, flags: AskingFlags) =>
      process.exit(await (await load()).diffCommand(id, flags)),
    )
  addChanging(batches)
}

function addChanging(batches: Command): void {
  const load = () => import('./batches.ts')
  withProfile(batches.command('stop').description('what has not begun never begins, what runs goes on'))
    .argument('<batch>', 'its id')
    .option('--kill', 'end what runs, too')
    .option('--quiet', 'print nothing but errors')
    .addHelpText('after', examples('runbook-agent batches stop 5474d29f'))
    .action(async (id: string, flags: StopFlags) => process.exit(await (await load()).stopCommand(id, flags)))
  withProfile(batches.command('exec').description('run it once it was approved, or follow it to its end'))
    .argument('<batch>', 'its id')
    .option('--quiet', 'no progress')
    .option('--json', 'print the batch as JSON at the end')
    .addHelpText('after', examples('runbook-agent batches exec 5474d29f'))
    .action(async (id: string, flags: WatchFlags) =>
      process.exit(await (await load()).execBatchCommand(id, flags)),
    )
}
