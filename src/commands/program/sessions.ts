import type { AskingFlags } from '../client/asking/asking.ts'
import type { NoticeFlags } from '../client/report/notices.ts'
import type { ExportFlags } from '../client/sessions/export.ts'
import type { ReplayFlags } from '../client/sessions/replay.ts'
import type { ListFlags } from '../client/sessions/sessions.ts'
import { OUTCOMES, SESSION_KINDS } from '../../contract/session-state.ts'
import {
  choice,
  JSON_OPTION,
  LISTED,
  option,
  PROFILE,
  QUIET,
  type CommandGroup,
  type CommandRow,
} from './command.ts'

const load = () => import('../client/sessions/sessions.ts')
const loadFollow = () => import('../client/sessions/follow.ts')

type StreamedFlags = NoticeFlags & AskingFlags

const SPAN = [
  option('--since <time>', 'only sessions that began after this time: 2h, 7d, 2026-01-31, 2026-01-31T14:30'),
  option('--until <time>', 'only sessions that began before this time'),
]

const FILTERS = [
  option('--runbook <file>', 'only sessions of this runbook'),
  choice('--status <status>', 'only sessions in this state', [...OUTCOMES, 'open', 'ready', 'done']),
  choice('--kind <kind>', 'only sessions of this kind', SESSION_KINDS),
  option('--parameter <text>', 'only runs with this text in a parameter (the newest 20,000 are searched)'),
]

const STREAMED = [
  PROFILE,
  option('--quiet', 'print no hints'),
  option('--json', 'print one line of JSON per event'),
]

const list: CommandRow = {
  name: 'list',
  isDefault: true,
  does: `List the newest sessions: ${LISTED}`,
  options: [
    PROFILE,
    option('--user <name>', 'only sessions of this user (hoop gateways: the id of the user)'),
    option('--connection <name>', 'only sessions of this connection'),
    ...FILTERS,
    ...SPAN,
    option('--limit <count>', 'maximum number of rows', '20'),
    JSON_OPTION,
  ],
  examples: [
    'runbook-agent sessions',
    'runbook-agent sessions list --runbook ops/hello.runbook.sh --since 7d',
    'runbook-agent sessions list --connection pg --status failed --limit 100',
  ],
  run: async (flags: ListFlags) => (await load()).listCommand(flags),
}

const exported: CommandRow = {
  name: 'export',
  does: 'Export sessions as JSON lines, oldest first',
  options: [
    PROFILE,
    option('--user <name>', 'only sessions of this user'),
    option('--connection <name>', 'only sessions of this connection'),
    ...FILTERS,
    ...SPAN,
    option('--after <cursor>', 'only sessions after this cursor'),
    option('--output <file>', 'file to create, mode 0600 (default: standard output)'),
    option('--resume', 'continue the file of an interrupted export'),
  ],
  examples: [
    'runbook-agent sessions export --until 1d --output sessions.jsonl',
    'runbook-agent sessions export --output sessions.jsonl --resume',
  ],
  run: async (flags: ExportFlags) => (await import('../client/sessions/export.ts')).exportCommand(flags),
}

export const sessions: CommandGroup = {
  name: 'sessions',
  does: 'List, show and end sessions; the beginning of an id is enough',
  commands: [
    list,
    exported,
    {
      name: 'show <id>',
      does: 'Show a session and its script',
      options: [PROFILE, JSON_OPTION],
      examples: ['runbook-agent sessions show 5701046a'],
      run: async (id: string, flags: AskingFlags) => (await load()).showCommand(id, flags),
    },
    {
      name: 'output <id>',
      does: 'Print the output of a session, byte for byte',
      options: [PROFILE],
      examples: ['runbook-agent sessions output 5701046a > report.csv'],
      run: async (id: string, flags: AskingFlags) => (await load()).outputCommand(id, flags),
    },
    {
      name: 'kill <id>',
      does: 'End a session',
      options: [PROFILE, QUIET],
      examples: ['runbook-agent sessions kill 5701046a'],
      run: async (id: string, flags: NoticeFlags & AskingFlags) => (await load()).killCommand(id, flags),
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
      does: 'Run an approved session and follow its output',
      options: STREAMED,
      examples: ['runbook-agent sessions exec 5701046a'],
      run: async (id: string, flags: StreamedFlags) => (await loadFollow()).execApprovedCommand(id, flags),
    },
    {
      name: 'replay <id>',
      does: 'Play a session on this terminal, or write a recording for asciinema',
      options: [
        PROFILE,
        option('--speed <factor>', 'speed of the replay: 2 is twice as fast', '1'),
        option('--max-pause <seconds>', 'longest pause; longer ones are shortened', '2'),
        option('--cast', 'write asciicast v2, even to a terminal'),
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
