import { Option, type Command } from 'commander'
import { exits } from '../../failure.ts'
import { refuseUnknownCommands } from '../../program/unknown-command.ts'
import type { AskingFlags } from '../account/asking.ts'
import { examples, LISTED, withProfile } from '../account/flags.ts'
import type { ApproveFlags, RejectFlags } from './decide.ts'
import type { ReviewListFlags } from './reviews.ts'

const STATUSES = ['pending', 'approved', 'rejected', 'revoked', 'processing', 'executed']

/** What waits for an approval, and the decision. */
export function addReviewCommands(root: Command): void {
  const reviews = refuseUnknownCommands(root.command('reviews').description('List, show and decide reviews'))
  addReading(reviews)
  addDeciding(reviews)
}

function addReading(reviews: Command): void {
  const load = () => import('./reviews.ts')
  withProfile(reviews.command('list', { isDefault: true }).description(`List waiting reviews: ${LISTED}`))
    .addOption(new Option('--status <status>', 'only reviews in this state').choices(STATUSES))
    .option('--all', 'reviews in all states')
    .option('--json', 'print JSON')
    .addHelpText('after', examples('runbook-agent reviews', 'runbook-agent reviews list --all'))
    .action(exits(async (flags: ReviewListFlags) => (await load()).reviewsCommand(flags)))
  withProfile(reviews.command('show').description('Show what would run, for whom, and the decisions so far'))
    .argument('<review>', 'id of the review or of its session; the beginning is enough')
    .option('--json', 'print JSON')
    .addHelpText('after', examples('runbook-agent reviews show 5474d29f'))
    .action(exits(async (id: string, flags: AskingFlags) => (await load()).reviewCommand(id, flags)))
}

function addDeciding(reviews: Command): void {
  const load = () => import('./decide.ts')
  deciding(reviews.command('approve').description('Approve a review'))
    .option('--window <from-to>', 'hours of the day in UTC at which it may run: 01:00-05:00')
    .addHelpText(
      'after',
      examples(
        'runbook-agent reviews approve 5474d29f',
        'runbook-agent reviews approve 5474d29f --window 01:00-05:00',
      ),
    )
    .action(exits(async (id: string, flags: ApproveFlags) => (await load()).approveCommand(id, flags)))
  deciding(reviews.command('reject').description('Reject a review'))
    .option('--reason <text>', 'reason, for the requester')
    .addHelpText('after', examples('runbook-agent reviews reject 5474d29f --reason "no ticket"'))
    .action(exits(async (id: string, flags: RejectFlags) => (await load()).rejectCommand(id, flags)))
}

function deciding(command: Command): Command {
  return withProfile(command)
    .argument('<review>', 'id of the review or of its session; the beginning is enough')
    .option('--force', 'decide alone, as a member of a group that may')
    .option('--quiet', 'print only errors')
    .option('--json', 'print the review as JSON')
}
