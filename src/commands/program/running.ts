import type { ConnectFlags } from '../client/stream/connect.ts'
import type { PortFlags } from '../client/stream/connect-port.ts'
import { exitCodes, Failure } from '../failure.ts'
import { refuseStrayWords } from './client-args.ts'
import { option, PROFILE, repeatable, takes, type CommandRow } from './command.ts'
import { dispatchExec, dispatchRun } from './dispatch.ts'

const NAME = 'name of the connection'

const LOCAL = [
  PROFILE,
  option('--local', 'run on this machine, without a gateway'),
  option(
    '--config <file>',
    'with --local: gateway.yaml that has the connection; without it, the words after -- are the command',
  ),
]

const VARIABLES = [
  repeatable('-e, --env <NAME=value>', 'variable for the command (repeatable)'),
  option('--quiet', 'print no hints'),
  option('--json', 'print messages of this program as JSON lines on standard error'),
]

/** Everything after `--`, byte for byte, for the connection's command. */
const CLIENT_ARGS = takes('[client-args...]', "after --: arguments for the connection's command")

const VERBATIM = option(
  '--verbatim',
  "pass --dry-run and --local that stand after -- to the connection's command",
)

/** What stays with the session. */
const KEPT = [
  repeatable('--metadata <name=value>', 'metadata of the session (repeatable)'),
  repeatable('--jira <field=value>', 'field of the Jira issue (repeatable)'),
]

const WHEN_APPROVED = option(
  '--when-approved',
  'let the gateway run it once it is approved, also when this program has ended',
)

const BATCH = [
  repeatable('--on <names>', 'run on these connections: a,b,c'),
  repeatable('--tag <key=value>', 'run on the connections with this tag (repeatable)'),
  option('--waves <sizes>', 'sizes of the waves: counts, percentages and rest (default: 1,rest)'),
  option('--parallel <count>', 'parallel runs per wave (default: 10)'),
  option('--stop-after <count>', 'stop after this many failures (count or %, default: 1)'),
  option('--yes', 'do not ask before a batch starts'),
]

export const run: CommandRow = {
  name: 'run',
  does: 'Run a runbook',
  takes: [
    takes('<connection>', `${NAME}; omit it with --on and --tag`),
    takes('[file]', 'path of the runbook in its repository; with --local a file on this machine'),
    CLIENT_ARGS,
  ],
  options: [
    ...LOCAL,
    VERBATIM,
    ...KEPT,
    ...BATCH,
    WHEN_APPROVED,
    repeatable('-p, --param <name=value>', 'parameter of the runbook (repeatable)'),
    option(
      '--param-file <file>',
      'file with parameters as a YAML or JSON map, for secrets; - is standard input',
    ),
    repeatable('-e, --env <NAME=value>', 'variable for the command (repeatable)'),
    repeatable(
      '-f, --file <NAME=path>',
      'file for the command: the variable NAME holds its path (repeatable)',
    ),
    option('--ref <sha>', 'commit to read the runbook from (default: the newest; hoop gateways ignore it)'),
    option('--repository <name>', 'repository of the runbook, if several have the file'),
    option('--defaults', 'use default values without asking'),
    option(
      '--confirm <text>',
      'name of the connection, or number of connections, where the gateway asks for a confirmation',
    ),
    option('--dry-run', 'print the request and the script, and run nothing'),
    option('--no-wait', 'print the session once it runs or waits for approval, and exit'),
    option('--quiet', 'print no progress'),
    option('--json', 'print the answer as JSON'),
  ],
  examples: [
    'runbook-agent run bash ops/hello.runbook.sh',
    'runbook-agent run bash ops/hello.runbook.sh -p name=world -f SECRET_FILE=secret.txt',
    'runbook-agent run bash ops/hello.runbook.sh -p name=world --dry-run',
    'runbook-agent run pg ops/vacuum.runbook.sh --when-approved --no-wait',
    'runbook-agent run ops/hello.runbook.sh --tag env=prod --waves 1,10,rest --stop-after 5%',
    'runbook-agent run --local bash runbooks/hello.runbook.sh --config gateway.yaml',
  ],
  check: (command) => refuseStrayWords(command, 'Parameters are given with -p name=value'),
  run: async (
    connection: string,
    file: string | undefined,
    clientArgs: string[],
    flags: Parameters<typeof dispatchRun>[1],
  ) => dispatchRun({ connection, file, clientArgs }, flags),
}

export const exec: CommandRow = {
  name: 'exec',
  does: 'Run a script on a connection',
  takes: [takes('<connection>', NAME), CLIENT_ARGS],
  options: [
    ...VARIABLES,
    ...LOCAL,
    VERBATIM,
    WHEN_APPROVED,
    option('-i, --input <script>', 'the script; it may be empty'),
    option(
      '-f, --file <file>',
      'file that holds the script; - is standard input (default, unless that is a terminal)',
    ),
  ],
  examples: [
    "runbook-agent exec pg -i 'select now()'",
    'runbook-agent exec bash -f deploy.sh -e STAGE=test',
    'runbook-agent exec --local pg --config gateway.yaml -f report.sql',
    "runbook-agent exec pg -i '' -- -c 'copy orders to stdout' > orders.tsv",
  ],
  check: (command) => refuseStrayWords(command, 'A script is given with -i, a file that holds one with -f'),
  run: async (connection: string, args: string[], flags: Parameters<typeof dispatchExec>[2]) =>
    dispatchExec(connection, args, flags),
}

export const connect: CommandRow = {
  name: 'connect',
  does: 'Open a terminal on a connection, or a port for its clients',
  takes: [takes('<connection>', NAME), CLIENT_ARGS],
  options: [
    PROFILE,
    ...VARIABLES,
    option(
      '--port [number]',
      'open a port on this machine for clients such as psql (default: 5433, tcp 8999)',
    ),
    option('--run <command>', 'run this command with the variables of its client set, and end with it'),
  ],
  examples: [
    'runbook-agent connect bash',
    'runbook-agent connect pg --port 5433',
    "runbook-agent connect pg --run 'pg_dump -t orders'",
    'runbook-agent connect pg -e PGOPTIONS=-cdefault_transaction_read_only=on',
  ],
  check: (command) => refuseStrayWords(command, 'For a single command use runbook-agent exec'),
  run: async (connection: string, args: string[], flags: ConnectFlags & PortFlags) => {
    const { port, run, env } = flags
    if (port === undefined && run === undefined)
      return (await import('../client/stream/connect.ts')).connectCommand(connection, args, flags)
    if (args.length > 0 || env !== undefined)
      throw new Failure('a port takes neither arguments nor variables: no command runs', exitCodes.usage)
    return (await import('../client/stream/connect-port.ts')).connectPortCommand(connection, flags)
  },
}
