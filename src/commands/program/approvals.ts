import type { AskingFlags } from '../client/asking/asking.ts'
import type { StopFlags, WatchFlags } from '../client/batches/batches.ts'
import type { ApproveFlags, RejectFlags, ReviewListFlags } from '../client/reviews/reviews.ts'
import { choice, JSON_OPTION, LISTED, option, PROFILE, QUIET, takes, type CommandGroup } from './command.ts'

const loadBatches = () => import('../client/batches/batches.ts')
const BATCH = takes('<batch>', 'id of the batch; its beginning is enough')

export const batches: CommandGroup = {
  name: 'batches',
  does: 'List, show and stop runs on several connections (run --on)',
  commands: [
    {
      name: 'list',
      isDefault: true,
      does: `List the newest batches: ${LISTED}`,
      options: [PROFILE, JSON_OPTION],
      examples: ['runbook-agent batches'],
      run: async (flags: AskingFlags) => (await loadBatches()).batchesCommand(flags),
    },
    {
      name: 'show',
      does: 'Show a batch and its runs',
      takes: [BATCH],
      options: [PROFILE, JSON_OPTION],
      examples: ['runbook-agent batches show 5474d29f'],
      run: async (id: string, flags: AskingFlags) => (await loadBatches()).batchCommand(id, flags),
    },
    {
      name: 'diff',
      does: 'Show how the outputs of a batch differ',
      takes: [BATCH],
      options: [PROFILE, JSON_OPTION],
      examples: ['runbook-agent batches diff 5474d29f'],
      run: async (id: string, flags: AskingFlags) => (await loadBatches()).diffCommand(id, flags),
    },
    {
      name: 'stop',
      does: 'Stop a batch: running sessions go on, no new ones start',
      takes: [BATCH],
      options: [PROFILE, option('--kill', 'end the running sessions as well'), QUIET],
      examples: ['runbook-agent batches stop 5474d29f'],
      run: async (id: string, flags: StopFlags) => (await loadBatches()).stopCommand(id, flags),
    },
    {
      name: 'exec',
      does: 'Run an approved batch, or follow one to its end',
      takes: [BATCH],
      options: [
        PROFILE,
        option('--quiet', 'print no progress'),
        option('--json', 'print the batch as JSON at its end'),
      ],
      examples: ['runbook-agent batches exec 5474d29f'],
      run: async (id: string, flags: WatchFlags) => (await loadBatches()).execBatchCommand(id, flags),
    },
  ],
}

const loadReviews = () => import('../client/reviews/reviews.ts')
const loadDecide = () => import('../client/reviews/reviews.ts')
const REVIEW = takes('<review>', 'id of the review or of its session; the beginning is enough')
const STATUSES = ['pending', 'approved', 'rejected', 'revoked', 'processing', 'executed']
const DECIDING = [
  PROFILE,
  option('--force', 'decide alone, as a member of a group that may'),
  QUIET,
  option('--json', 'print the review as JSON'),
]

export const reviews: CommandGroup = {
  name: 'reviews',
  does: 'List, show and decide reviews',
  commands: [
    {
      name: 'list',
      isDefault: true,
      does: `List waiting reviews: ${LISTED}`,
      options: [
        PROFILE,
        choice('--status <status>', 'only reviews in this state', STATUSES),
        option('--all', 'reviews in all states'),
        JSON_OPTION,
      ],
      examples: ['runbook-agent reviews', 'runbook-agent reviews list --all'],
      run: async (flags: ReviewListFlags) => (await loadReviews()).reviewsCommand(flags),
    },
    {
      name: 'show',
      does: 'Show what would run, for whom, and the decisions so far',
      takes: [REVIEW],
      options: [PROFILE, JSON_OPTION],
      examples: ['runbook-agent reviews show 5474d29f'],
      run: async (id: string, flags: AskingFlags) => (await loadReviews()).reviewCommand(id, flags),
    },
    {
      name: 'approve',
      does: 'Approve a review',
      takes: [REVIEW],
      options: [
        ...DECIDING,
        option('--comment <text>', 'what the requester is told with it'),
        option('--window <from-to>', 'hours of the day in UTC at which it may run: 01:00-05:00'),
      ],
      examples: [
        'runbook-agent reviews approve 5474d29f',
        'runbook-agent reviews approve 5474d29f --window 01:00-05:00',
      ],
      run: async (id: string, flags: ApproveFlags) => (await loadDecide()).approveCommand(id, flags),
    },
    {
      name: 'reject',
      does: 'Reject a review',
      takes: [REVIEW],
      options: [...DECIDING, option('--reason <text>', 'reason, for the requester')],
      examples: ['runbook-agent reviews reject 5474d29f --reason "no ticket"'],
      run: async (id: string, flags: RejectFlags) => (await loadDecide()).rejectCommand(id, flags),
    },
  ],
}
