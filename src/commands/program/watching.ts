import { END_STATES, OUTCOMES, SESSION_KINDS } from '../../contract/session-state.ts'
import type { AskingFlags, ListingFlags } from '../client/asking/asking.ts'
import type { StopFlags, WatchFlags } from '../client/batches/batches.ts'
import type { RetryFlags } from '../client/batches/retry.ts'
import type { NoticeFlags } from '../client/report/notices.ts'
import type { ApproveFlags, RejectFlags, ReviewListFlags } from '../client/reviews/reviews.ts'
import type { ExportFlags } from '../client/sessions/export.ts'
import type { ReplayFlags } from '../client/sessions/replay.ts'
import type { ListFlags } from '../client/sessions/sessions.ts'
import {
  FORMATS,
  choice,
  JSON_OPTION,
  LIMIT,
  LISTED,
  option,
  PROFILE,
  QUIET,
  span,
  type CommandGroup,
  type CommandRow,
  repeatable,
  takes,
} from './command.ts'

const loadSessions = () => import('../client/sessions/sessions.ts')
const loadFollow = () => import('../client/sessions/follow.ts')

type StreamedFlags = NoticeFlags & AskingFlags

/** Options for commands that show one session, batch or review. */
const ONE = [PROFILE, JSON_OPTION]

const STREAMED = [
  PROFILE,
  option('--quiet', 'print no hints'),
  option('--json', 'print one line of JSON per event'),
]

const FILTERS = [
  option('--user <name>', 'only sessions of this user (hoop gateways: the id of the user)'),
  option('--connection <name>', 'only sessions of this connection'),
  option('--runbook <file>', 'only sessions of this runbook'),
  choice(
    '--status <status>',
    "only sessions in this state; open, ready and done are hoop's names of states",
    [...OUTCOMES, ...END_STATES, 'open', 'ready', 'done'],
  ),
  choice('--kind <kind>', 'only sessions of this kind', SESSION_KINDS),
  option(
    '--parameter <text>',
    'only sessions of runbooks with this text in a parameter (searches the newest 20,000 runs, and 1,024 characters of the parameters of each)',
  ),
  option(
    '--text <words>',
    'only sessions with each of these words in the runbook, the user, a parameter or the reason (searches the newest 20,000 sessions)',
  ),
  option('--schedule <name>', 'only runs of this schedule'),
  ...span('sessions that began'),
]

const sessionList: CommandRow = {
  name: 'list',
  isDefault: true,
  does: `List the newest sessions ${LISTED}`,
  options: [PROFILE, ...FILTERS, LIMIT, ...FORMATS],
  examples: [
    'runbook-agent sessions',
    'runbook-agent sessions list --runbook ops/hello.runbook.sh --since 7d',
    'runbook-agent sessions list --connection pg --status failed --limit 100',
    'runbook-agent sessions list --text "refund 10293"',
  ],
  run: async (flags: ListFlags) => (await loadSessions()).listCommand(flags),
}

const exported: CommandRow = {
  name: 'export',
  does: 'Export sessions as JSON lines, oldest first',
  options: [
    PROFILE,
    ...FILTERS,
    option('--after <cursor>', 'only sessions after this cursor; an interrupted export prints the cursor'),
    option('--output <file>', 'file to create, with mode 0600 (default: standard output)'),
    option('--resume', 'continue an interrupted export in the file of --output'),
  ],
  examples: [
    'runbook-agent sessions export --until 1d --output sessions.jsonl',
    'runbook-agent sessions export --output sessions.jsonl --resume',
  ],
  run: async (flags: ExportFlags) => (await import('../client/sessions/export.ts')).exportCommand(flags),
}

export const sessions: CommandGroup = {
  name: 'sessions',
  does: 'List, show and stop sessions (the beginning of an id is enough)',
  commands: [
    sessionList,
    exported,
    {
      name: 'show <id>',
      does: 'Show a session and its script',
      options: ONE,
      examples: ['runbook-agent sessions show 5701046a'],
      run: async (id: string, flags: AskingFlags) => (await loadSessions()).showCommand(id, flags),
    },
    {
      name: 'output <id>',
      does: 'Print the output of a session, byte for byte',
      options: [PROFILE],
      examples: ['runbook-agent sessions output 5701046a > report.csv'],
      run: async (id: string, flags: AskingFlags) => (await loadSessions()).outputCommand(id, flags),
    },
    {
      name: 'kill <id>',
      does: 'Stop a session and end its command',
      options: [PROFILE, QUIET, JSON_OPTION],
      examples: ['runbook-agent sessions kill 5701046a'],
      run: async (id: string, flags: NoticeFlags & AskingFlags) =>
        (await loadSessions()).killCommand(id, flags),
    },
    {
      name: 'follow <id>',
      does: 'Follow the output of a session to its end',
      options: STREAMED,
      examples: ['runbook-agent sessions follow 5701046a'],
      run: async (id: string, flags: StreamedFlags) => (await loadFollow()).followCommand(id, flags),
    },
    {
      name: 'exec <id>',
      does: 'Run an approved session, and follow its output',
      options: STREAMED,
      examples: ['runbook-agent sessions exec 5701046a'],
      run: async (id: string, flags: StreamedFlags) => (await loadFollow()).execApprovedCommand(id, flags),
    },
    {
      name: 'replay <id>',
      does: 'Replay the output of a session on this terminal, or write a recording for asciinema',
      options: [
        PROFILE,
        option('--speed <factor>', 'speed of the replay: 2 is twice as fast', '1'),
        option(
          '--max-pause <seconds>',
          'maximum length of a pause in seconds; longer pauses are shortened',
          '2',
        ),
        option('--cast', 'write a recording (asciicast v2) to standard output, even on a terminal'),
      ],
      examples: [
        'runbook-agent sessions replay 5701046a --speed 2',
        'runbook-agent sessions replay 5701046a > session.cast',
      ],
      run: async (id: string, flags: ReplayFlags) =>
        (await import('../client/sessions/replay.ts')).replayCommand(id, flags),
    },
  ],
}

const loadBatches = () => import('../client/batches/batches.ts')
const BATCH = takes('<batch>', 'id of the batch; the beginning of the id is enough')

export const batches: CommandGroup = {
  name: 'batches',
  does: 'List, show, stop and retry batches (a batch is a run on several connections, see `run --on`)',
  commands: [
    {
      name: 'list',
      isDefault: true,
      does: `List the newest batches ${LISTED}`,
      options: [PROFILE, ...FORMATS],
      examples: ['runbook-agent batches'],
      run: async (flags: ListingFlags) => (await loadBatches()).batchesCommand(flags),
    },
    {
      name: 'show',
      does: 'Show a batch and its runs',
      takes: [BATCH],
      options: ONE,
      examples: ['runbook-agent batches show 5474d29f'],
      run: async (id: string, flags: AskingFlags) => (await loadBatches()).batchCommand(id, flags),
    },
    {
      name: 'diff',
      does: 'Show how the outputs of a batch differ',
      takes: [BATCH],
      options: ONE,
      examples: ['runbook-agent batches diff 5474d29f'],
      run: async (id: string, flags: AskingFlags) => (await loadBatches()).diffCommand(id, flags),
    },
    {
      name: 'stop',
      does: 'Stop a batch: start no new runs, and let the running sessions end',
      takes: [BATCH],
      options: [PROFILE, option('--kill', 'also stop the running sessions'), QUIET],
      examples: ['runbook-agent batches stop 5474d29f'],
      run: async (id: string, flags: StopFlags) => (await loadBatches()).stopCommand(id, flags),
    },
    {
      name: 'exec',
      does: 'Run an approved batch, or follow a running batch to its end',
      takes: [BATCH],
      options: [
        PROFILE,
        option('--quiet', 'print no progress'),
        option('--json', 'print the batch as JSON when the batch ends'),
      ],
      examples: ['runbook-agent batches exec 5474d29f'],
      run: async (id: string, flags: WatchFlags) => (await loadBatches()).execBatchCommand(id, flags),
    },
    {
      name: 'retry',
      does: 'Run again what failed or never began in an ended batch, as a new batch',
      takes: [BATCH, takes('[client-args...]', 'after --: the arguments of the batch, if it had some')],
      options: [
        PROFILE,
        repeatable(
          '--on <names>',
          'run exactly on these connections of the batch, separated by commas, also where the first run may have had an effect (repeatable)',
        ),
        repeatable('-p, --param <name=value>', 'secret parameter, whose value is not recorded (repeatable)'),
        option(
          '--param-file <file>',
          'file that contains parameters as a YAML or JSON map (so no secret is on the command line); - is standard input',
        ),
        repeatable(
          '-e, --env <NAME=value>',
          'variable of the batch, whose value is not recorded (repeatable)',
        ),
        repeatable('-f, --file <NAME=path>', 'file of the batch, whose content is not recorded (repeatable)'),
        repeatable('--jira <field=value>', 'field of the Jira issue of each session (repeatable)'),
        option('--reason <text>', 'why you need this; approvers see it, and it stays with each session'),
        option('--commit <sha>', 'run this commit, if the commit of the batch is gone from the branch'),
        option(
          '--when-approved',
          'if the batch needs approval, the gateway runs the batch as soon as it is approved',
        ),
        option('--yes', 'start the batch without asking for confirmation'),
        option(
          '--confirm <text>',
          'answer to the question for confirmation: the number of connections; with one connection, its name',
        ),
        option('--no-wait', 'print the id of the new batch and exit, without waiting for its end'),
        option('--quiet', 'print no progress'),
        option('--json', 'print the new batch as JSON when it ends'),
      ],
      examples: [
        'runbook-agent batches retry 5474d29f',
        'runbook-agent batches retry 5474d29f --on web-03,web-07 -p password=...',
      ],
      run: async (id: string, clientArgs: string[], flags: RetryFlags) =>
        (await import('../client/batches/retry.ts')).retryCommand(id, clientArgs, flags),
    },
  ],
}

const loadReviews = () => import('../client/reviews/reviews.ts')
const REVIEW = takes('<review>', 'id of the review or of its session; the beginning of the id is enough')
const STATUSES = ['pending', 'approved', 'rejected', 'withdrawn', 'revoked', 'processing', 'executed']
const DECIDING = [
  PROFILE,
  option('--force', 'decide alone, without other approvers; only for members of review.force-groups'),
  QUIET,
  JSON_OPTION,
]

export const reviews: CommandGroup = {
  name: 'reviews',
  does: 'List, show and decide reviews',
  commands: [
    {
      name: 'list',
      isDefault: true,
      does: `List waiting reviews ${LISTED}`,
      options: [
        PROFILE,
        choice('--status <status>', 'only reviews in this state (default: pending)', STATUSES),
        option('--all', 'list reviews in all states, not only waiting reviews'),
        ...FORMATS,
      ],
      examples: ['runbook-agent reviews', 'runbook-agent reviews list --all'],
      run: async (flags: ReviewListFlags) => (await loadReviews()).reviewsCommand(flags),
    },
    {
      name: 'show',
      does: 'Show a review: the request, the requester and the decisions so far',
      takes: [REVIEW],
      options: ONE,
      examples: ['runbook-agent reviews show 5474d29f'],
      run: async (id: string, flags: AskingFlags) => (await loadReviews()).reviewCommand(id, flags),
    },
    {
      name: 'approve',
      does: 'Approve a review',
      takes: [REVIEW],
      options: [
        ...DECIDING,
        option(
          '--window <from-to>',
          'time of day (UTC) in which the session may run, for example 01:00-05:00 (default: any time)',
        ),
        option('--comment <text>', 'comment for the requester'),
        option('--yes', 'approve without showing the request and asking first'),
      ],
      examples: [
        'runbook-agent reviews approve 5474d29f',
        'runbook-agent reviews approve 5474d29f --window 01:00-05:00',
      ],
      run: async (id: string, flags: ApproveFlags) => (await loadReviews()).approveCommand(id, flags),
    },
    {
      name: 'reject',
      does: 'Reject a review',
      takes: [REVIEW],
      options: [...DECIDING, option('--reason <text>', 'reason for the requester')],
      examples: ['runbook-agent reviews reject 5474d29f --reason "no ticket"'],
      run: async (id: string, flags: RejectFlags) => (await loadReviews()).rejectCommand(id, flags),
    },
  ],
}
