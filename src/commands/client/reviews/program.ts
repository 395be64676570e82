import { Option, type Command } from 'commander'
import { refuseUnknownCommands } from '../../program/unknown-command.ts'
import type { AskingFlags } from '../account/asking.ts'
import { examples, LISTED, withProfile } from '../account/flags.ts'
import type { ApproveFlags, RejectFlags } from './decide.ts'
import type { ReviewListFlags } from './reviews.ts'

const STATUSES = ['pending', 'approved', 'rejected', 'revoked', 'processing', 'executed']

/** What waits for an approval, and the decision. */
export function addReviewCommands(root: Command): void {
  const reviews = refuseUnknownCommands(
    root
      .command('reviews')
      .description('what waits for an approval: the beginning of an id is enough, also of the session'),
  )
  addReading(reviews)
  addDeciding(reviews)
}

function addReading(reviews: Command): void {
  const load = () => import('./reviews.ts')
  withProfile(reviews.command('list', { isDefault: true }).description(`those that wait: ${LISTED}`))
    .addOption(new Option('--status <status>', 'those in this state').choices(STATUSES))
    .option('--all', 'those in any state')
    .option('--json', 'print JSON')
    .addHelpText('after', examples('runbook-agent reviews', 'runbook-agent reviews list --all'))
    .action(async (flags: ReviewListFlags) => process.exit(await (await load()).reviewsCommand(flags)))
  withProfile(reviews.command('show').description('what exactly would run, for whom, and who has decided'))
    .argument('<review>', 'its id, or its session')
    .option('--json', 'print JSON')
    .addHelpText('after', examples('runbook-agent reviews show 5474d29f'))
    .action(async (id: string, flags: AskingFlags) =>
      process.exit(await (await load()).reviewCommand(id, flags)),
    )
}

function addDeciding(reviews: Command): void {
  const load = () => import('./decide.ts')
  deciding(reviews.command('approve').description('let it run'))
    .option('--window <from-to>', 'only at these times of a day, in UTC: 01:00-05:00')
    .addHelpText(
      'after',
      examples(
        'runbook-agent reviews approve 5474d29f',
        'runbook-agent reviews approve 5474d29f --window 01:00-05:00',
      ),
    )
    .action(async (id: string, flags: ApproveFlags) =>
      process.exit(await (await load()).approveCommand(id, flags)),
    )
  deciding(reviews.command('reject').description('never let it run'))
    .option('--reason <text>', 'for whoever has asked')
    .addHelpText('after', examples('runbook-agent reviews reject 5474d29f --reason "no ticket"'))
    .action(async (id: string, flags: RejectFlags) =>
      process.exit(await (await load()).rejectCommand(id, flags)),
    )
}

function deciding(command: Command): Command {
  return withProfile(command)
    .argument('<review>', 'its id, or its session')
    .option('--force', 'alone, as a member of a group that may')
    .option('--quiet', 'print nothing but errors')
    .option('--json', 'print the review as JSON')
}
