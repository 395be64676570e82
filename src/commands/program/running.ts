import { isUtf8 } from 'node:buffer'
import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { oneLine } from '../../basics/text/printable.ts'
import type { RunBatchFlags } from '../client/batches/run-batch.ts'
import type { ExecLocalFlags, FindConnection } from '../client/local/execution.ts'
import type { RunLocalFlags } from '../client/local/run-local.ts'
import type { ConnectFlags } from '../client/stream/connect.ts'
import type { PortFlags } from '../client/stream/connect-port.ts'
import { exitCodes, Failure } from '../exit-codes.ts'
import { JSON_OPTION, option, PROFILE, repeatable, takes, type CommandRow } from './command.ts'
import type { GatewayParts } from './product.ts'

const NAME = 'name of the connection'

const LOCAL = [
  PROFILE,
  option('--local', 'run on this machine, without a gateway'),
  option(
    '--config <file>',
    'with --local: gateway.yaml with the connection (default: run the words after "--" as the command)',
  ),
]

const VARIABLES = [
  repeatable('-e, --env <NAME=value>', 'variable for the command (repeatable)'),
  option('--quiet', 'print no hints'),
  option('--json', 'print messages of this program as JSON lines on standard error'),
]

/** All words after `--`. Their bytes are not changed. */
const CLIENT_ARGS = takes('[client-args...]', "after --: arguments for the connection's command")

const VERBATIM = option(
  '--verbatim',
  'pass --dry-run and --local after "--" to the command of the connection (default: refuse them there)',
)

/** The history keeps the values of these options with the session. */
const KEPT = [
  repeatable('--metadata <name=value>', 'metadata of the session (repeatable)'),
  repeatable('--jira <field=value>', 'field of the Jira issue of the session (repeatable)'),
]

const WHEN_APPROVED = option(
  '--when-approved',
  'if the session needs approval, the gateway runs the session as soon as it is approved',
)

const REASON = option(
  '--reason <text>',
  'why you ask; approvers see it, and it stays with the session (hoop gateways ignore this option)',
)

const BATCH = [
  repeatable('--on <names>', 'run on these connections, separated by commas, for example a,b,c (repeatable)'),
  repeatable(
    '--tag <key=value>',
    'run on the connections that have this tag (repeatable; a connection must have all tags)',
  ),
  option(
    '--waves <sizes>',
    'sizes of the waves that run one after the other, separated by commas: a number of connections, a percentage, or "rest" for all others (default: 1,rest)',
  ),
  option('--parallel <count>', 'maximum number of parallel runs in a wave (default: 10)'),
  option(
    '--stop-after <count>',
    'stop the batch after this many failures: a number, or a percentage of the connections (default: 1)',
  ),
  option('--yes', 'start a batch without asking for confirmation'),
]

export const run = ({ findConnection }: GatewayParts): CommandRow => ({
  name: 'run',
  does: 'Run a runbook',
  takes: [
    takes('[connection]', `${NAME}; omit this argument with --on, --tag and --again`),
    takes('[file]', 'path of the runbook in its repository; with --local: path of a file on this machine'),
    CLIENT_ARGS,
  ],
  options: [
    ...LOCAL,
    VERBATIM,
    ...KEPT,
    ...BATCH,
    WHEN_APPROVED,
    REASON,
    repeatable('-p, --param <name=value>', 'parameter of the runbook (repeatable)'),
    option(
      '--param-file <file>',
      'file that contains parameters as a YAML or JSON map (so no secret is on the command line); - is standard input',
    ),
    repeatable('-e, --env <NAME=value>', 'variable for the command (repeatable)'),
    repeatable(
      '-f, --file <NAME=path>',
      'file for the command; the variable NAME has the path of the file (repeatable)',
    ),
    option(
      '--again <session>',
      'run the runbook of this session again, on its connection and with its recorded parameters; the values of -p replace them',
    ),
    option(
      '--ref <sha>',
      'commit to read the runbook from (default: the newest commit; hoop gateways ignore this option)',
    ),
    option(
      '--repository <name>',
      'repository of the runbook; required if several repositories have the file',
    ),
    option('--defaults', 'use the default values of parameters without asking for values'),
    option(
      '--confirm <text>',
      'answer to the question for confirmation: the name of the connection; with several connections, the number of connections',
    ),
    option(
      '--first <session>',
      'for a runbook that names a first one: "run" runs the first one, the id of its session requests the runbook (default: on a terminal, both, with a question between them)',
    ),
    option('--despite-first', 'with --first: request the runbook although the first run failed'),
    option('--dry-run', 'print the request and the script, and run nothing'),
    option('--no-wait', 'print the id of the session and exit, without waiting for the end of the session'),
    option('--quiet', 'print no progress'),
    JSON_OPTION,
  ],
  examples: [
    'runbook-agent run bash ops/hello.runbook.sh',
    'runbook-agent run bash ops/hello.runbook.sh -p name=world -f SECRET_FILE=secret.txt',
    'runbook-agent run bash ops/hello.runbook.sh -p name=world --dry-run',
    'runbook-agent run pg ops/vacuum.runbook.sh --when-approved --no-wait',
    'runbook-agent run ops/hello.runbook.sh --tag env=prod --waves 1,10,rest --stop-after 5%',
    'runbook-agent run --again 5701046a',
    'runbook-agent run --local bash runbooks/hello.runbook.sh --config gateway.yaml',
  ],
  check: (command) => refuseStrayWords(command, 'Use -p name=value for parameters'),
  run: async (
    connection: string | undefined,
    file: string | undefined,
    clientArgs: string[],
    flags: Parameters<typeof dispatchRun>[1],
  ) => dispatchRun({ connection, file, clientArgs }, flags, findConnection),
})

export const exec = ({ findConnection }: GatewayParts): CommandRow => ({
  name: 'exec',
  does: 'Run a script on a connection',
  takes: [takes('<connection>', NAME), CLIENT_ARGS],
  options: [
    ...VARIABLES,
    ...LOCAL,
    VERBATIM,
    WHEN_APPROVED,
    REASON,
    option('-i, --input <script>', 'script to run, possibly empty'),
    option(
      '-f, --file <file>',
      'file that contains the script; - is standard input (default: standard input, if it is not a terminal)',
    ),
  ],
  examples: [
    "runbook-agent exec pg -i 'select now()'",
    'runbook-agent exec bash -f deploy.sh -e STAGE=test',
    'runbook-agent exec --local pg --config gateway.yaml -f report.sql',
    "runbook-agent exec pg -i '' -- -c 'copy orders to stdout' > orders.tsv",
  ],
  check: (command) => refuseStrayWords(command, 'Use -i for a script, or -f for the file of a script'),
  run: async (connection: string, args: string[], flags: Parameters<typeof dispatchExec>[2]) =>
    dispatchExec(connection, args, flags, findConnection),
})

export const connect: CommandRow = {
  name: 'connect',
  does: 'Open a terminal on a connection, or a port for clients such as psql',
  takes: [takes('<connection>', NAME), CLIENT_ARGS],
  options: [
    PROFILE,
    ...VARIABLES,
    REASON,
    option(
      '--port [number]',
      'open this port on this machine for clients such as psql; 0 is any free port (default: 5433, for mysql 3307, for tcp 8999)',
    ),
    option(
      '--run <command>',
      'open a port, run this client with the variables for the port (such as PGHOST), and exit when the client ends',
    ),
  ],
  examples: [
    'runbook-agent connect bash',
    'runbook-agent connect pg --port 5433',
    "runbook-agent connect pg --run 'pg_dump -t orders'",
    'runbook-agent connect pg -e PGOPTIONS=-cdefault_transaction_read_only=on',
  ],
  check: (command) => refuseStrayWords(command, 'Use runbook-agent exec for a single command'),
  run: async (connection: string, args: string[], flags: ConnectFlags & PortFlags) => {
    const { port, run, env } = flags
    if (port === undefined && run === undefined)
      return (await import('../client/stream/connect.ts')).connectCommand(connection, args, flags)
    if (args.length > 0 || env !== undefined)
      throw new Failure(
        '--port and --run start no command of the connection: omit the arguments and -e',
        exitCodes.usage,
      )
    return (await import('../client/stream/connect-port.ts')).connectPortCommand(connection, flags)
  },
}

interface Place {
  /** The command runs in this process, without a gateway. */
  readonly local?: boolean
  readonly config?: string
}

const NO_GATEWAY = '--local uses no gateway: omit --profile'
const NO_REASON = '--local records no reason: omit --reason'
const NO_APPROVAL = '--local asks for no approval: omit --when-approved'

async function dispatchExec(
  connection: string,
  words: readonly string[],
  { local = false, ...flags }: ExecLocalFlags & Place,
  find: FindConnection,
): Promise<number> {
  if (local) {
    refuse(flags, ['profile'], NO_GATEWAY)
    refuse(flags, ['whenApproved'], NO_APPROVAL)
    refuse(flags, ['reason'], NO_REASON)
    return (await import('../client/local/execution.ts')).execLocalCommand(connection, words, flags, find)
  }
  refuse(flags, ['config'], '--config needs --local')
  return (await import('../client/stream/exec.ts')).execCommand(connection, words, flags)
}

async function dispatchRun(
  { connection, file, clientArgs }: GivenWords,
  { again, ...flags }: RunBatchFlags & RunLocalFlags & Place & { readonly again?: string },
  find: FindConnection,
): Promise<number> {
  if (again !== undefined) {
    refuse(
      flags,
      ['on', 'tag', 'waves', 'parallel', 'stopAfter', 'yes', 'local', 'config', 'repository'],
      AGAIN,
    )
    const args = wordsAfterDashes([connection, file, ...clientArgs], AGAIN)
    return (await import('../client/sessions/again.ts')).runAgain(again, args, flags)
  }
  if (connection === undefined)
    throw new Failure(
      'the name of the connection is missing: use run CONNECTION FILE, or run FILE --on a,b',
      exitCodes.usage,
    )
  return runHere({ connection, file, clientArgs }, flags, find)
}

const AGAIN = 'with --again give only the session: its connection, runbook and repository are recorded'

async function runHere(
  { file, ...words }: RunWords,
  { local = false, ...flags }: RunBatchFlags & RunLocalFlags & Place,
  find: FindConnection,
): Promise<number> {
  if (flags.on !== undefined || flags.tag !== undefined) {
    refuse(
      { ...flags, ...(local && { local }) },
      ['local', 'config'],
      '--on and --tag need a gateway: omit --local and --config',
    )
    refuse(flags, ['first', 'despiteFirst'], '--first needs a single connection: use run CONNECTION FILE')
    return runSeveral({ file, ...words }, flags)
  }
  refuse(
    flags,
    ['waves', 'parallel', 'stopAfter', 'yes'],
    '--waves, --parallel, --stop-after and --yes need several connections: add --on a,b or --tag',
  )
  if (file === undefined)
    throw new Failure(
      'the name of the runbook is missing: use run CONNECTION FILE, or run FILE --on a,b',
      exitCodes.usage,
    )
  const what = { file, ...words }
  if (!local) {
    refuse(flags, ['config'], '--config needs --local')
    return (await import('../client/run/run.ts')).runRunbook(what, flags)
  }
  refuse(flags, ['profile'], NO_GATEWAY)
  refuse(flags, ['whenApproved'], NO_APPROVAL)
  refuse(flags, ['reason'], NO_REASON)
  refuse(flags, ['first', 'despiteFirst'], '--local runs one file: omit --first and --despite-first')
  refuse(flags, ['ref', 'repository'], '--local runs a file on this machine: omit --ref and --repository')
  if (flags.wait === false)
    throw new Failure('--local always waits for the end of the run: omit --no-wait', exitCodes.usage)
  return (await import('../client/local/run-local.ts')).runLocal(what, flags, find)
}

/**
 * With several connections, the first word is the runbook, although Commander calls this word `connection`.
 */
interface RunWords extends GivenWords {
  readonly connection: string
}

interface GivenWords {
  readonly connection: string | undefined
  readonly file: string | undefined
  readonly clientArgs: readonly string[]
}

/**
 * Runs a runbook on several connections. Commander puts the words after `--` into `file` and `clientArgs`.
 */
async function runSeveral(
  { connection: runbook, file, clientArgs }: RunWords,
  flags: RunBatchFlags,
): Promise<number> {
  const words = wordsAfterDashes(
    [file, ...clientArgs],
    'with --on and --tag give only the runbook, no connection: use run FILE --on a,b',
  )
  return (await import('../client/batches/run-batch.ts')).runBatch(runbook, words, flags)
}

/** Returns the words if all of them come after `--`. @throws Failure with the reason */
function wordsAfterDashes(given: readonly (string | undefined)[], reason: string): readonly string[] {
  const words = given.filter((word) => word !== undefined)
  const dashes = process.argv.indexOf('--')
  const after = dashes === -1 ? 0 : process.argv.length - dashes - 1
  if (words.length > after) throw new Failure(reason, exitCodes.usage)
  return words
}

function refuse(flags: object, names: readonly string[], reason: string): void {
  if (names.some((name) => name in flags)) throw new Failure(reason, exitCodes.usage)
}

/** Flags that decide whether and where a command runs. After `--`, they would be mere arguments. */
const DECISIVE = ['--dry-run', '--local']

/**
 * Refuses extra words before `--`, for example a script without `-i`. Words after `--` are arguments of the
 * connection's command.
 * @param hint says which option takes such a word
 */
function refuseStrayWords(called: Command, hint: string): void {
  refuseChangedArguments()
  const clientArgs: unknown = called.processedArgs.at(-1)
  refuseStray(clientArgs, hint)
  refuseMisplaced(called, Array.isArray(clientArgs) ? clientArgs : [])
}

/** Refuses decisive flags after `--`. Such a flag is allowed if the user also gives it before `--`. */
function refuseMisplaced(command: Command, clientArgs: readonly unknown[]): void {
  const flags = command.options.filter(({ long }) => DECISIVE.includes(long ?? ''))
  const given: Readonly<Record<string, unknown>> = command.opts()
  const misplaced = flags.find(
    (flag) => clientArgs.includes(flag.long) && given[flag.attributeName()] !== true,
  )
  if (misplaced === undefined || given['verbatim'] === true) return
  throw new Failure(
    `${misplaced.long ?? ''} after -- goes to the connection's command, which would run: put ${misplaced.long ?? ''} before --, or add --verbatim before -- if you mean this`,
    exitCodes.usage,
  )
}

function refuseStray(clientArgs: unknown, hint: string): void {
  const count = Array.isArray(clientArgs) ? clientArgs.length : 0
  const dashes = process.argv.indexOf('--')
  const after = dashes === -1 ? 0 : process.argv.length - dashes - 1
  if (count <= after || !Array.isArray(clientArgs)) return
  const stray = oneLine(String(clientArgs[0]))
  throw new Failure(
    `unexpected argument: ${stray}. Put arguments of the connection's command after --. ${hint}`,
    exitCodes.usage,
  )
}

/** Node replaces bytes that are not UTF-8 by this character. A user may also have typed the character. */
const REPLACED = '\uFFFD'

/**
 * Refuses arguments that are not UTF-8. Node decodes arguments before this program sees them, so a database
 * would get other bytes than the user typed. Only Linux shows the original bytes. The message must not show
 * the argument, which may be a secret.
 * @throws Failure, exit code 64
 */
function refuseChangedArguments(): void {
  if (!process.argv.some((argument) => argument.includes(REPLACED)) || isUtf8(commandLine())) return
  throw new Failure(
    'an argument is not UTF-8, so the gateway would get other bytes: put the text into a file, and use -f of exec or run',
    exitCodes.usage,
  )
}

function commandLine(): Buffer {
  try {
    return readFileSync('/proc/self/cmdline')
  } catch {
    return Buffer.alloc(0)
  }
}
